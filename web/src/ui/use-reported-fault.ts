import { useEffect, useRef } from "react";

/** Called with why what a field holds is not taken; null once it is, or once the field is gone. */
export type ReportFault = (fault: string | null) => void;

/** Reports a field's fault to whoever has to know before the whole is sent. */
export function useReportedFault(fault: string | null, onFault: ReportFault | undefined): void {
  const report = useRef(onFault);
  report.current = onFault;
  useEffect(() => {
    report.current?.(fault);
  }, [fault]);
  useEffect(() => () => report.current?.(null), []);
}
