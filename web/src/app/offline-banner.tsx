import { Alert } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useLive } from "~/api/live";

const PATIENCE_MS = 2_500;

/** Says that what is shown may be out of date, once the events have been away for a while. */
export function OfflineBanner() {
  const { state } = useLive();
  const [isOffline, setOffline] = useState(false);
  useEffect(() => {
    if (state === "open" || state === "paused") {
      setOffline(false);
      return;
    }
    const timer = setTimeout(() => setOffline(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [state]);
  if (!isOffline) return null;
  return (
    <Alert
      color="yellow"
      radius={0}
      py={6}
      icon={<IconPlugConnectedX size={16} aria-hidden />}
      role="status"
    >
      The service cannot be reached. What you see may be out of date; what you typed is kept. This
      page goes on by itself when the service is back.
    </Alert>
  );
}
