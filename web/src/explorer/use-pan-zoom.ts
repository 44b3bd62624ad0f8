import { type PointerEvent, type RefObject, useEffect, useRef, useState } from "react";
import type { Area } from "~/charts/pen";
import { panned, placeAt, type Span, toValue, zoomed } from "~/charts/scale";
import type { Plane } from "./axes";
import { isInside, type Spans } from "./frame";

interface Position {
  x: number;
  y: number;
}

interface PanZoom {
  host: RefObject<HTMLElement | null>;
  area: Area;
  /** Spans as they stand; while the reader drags, those that are returned differ. */
  spans: Spans;
  /** What the reader arrived at. */
  onSpans: (spans: Spans) => void;
  onClick: (at: Position) => void;
  onHover: (at: Position | null) => void;
}

const CLICK_PX = 4;
const WHEEL_RATE = 1.0015;
const WHEEL_REST_MS = 180;

/** Panning by dragging, zooming by the wheel; a press that does not move is a click. */
export function usePanZoom({ host, area, spans, onSpans, onClick, onHover }: PanZoom) {
  const [live, setLive] = useState<Spans | null>(null);
  const press = useRef<{ at: Position; spans: Spans; isPan: boolean } | null>(null);
  const shown = live ?? spans;
  const latest = useRef({ shown, area, onSpans });
  latest.current = { shown, area, onSpans };

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    // React listens to the wheel passively; this has to keep the page from scrolling.
    const onWheel = (event: WheelEvent) => {
      const { shown, area } = latest.current;
      const isMeant = event.ctrlKey || event.metaKey || document.activeElement === element;
      const at = positionIn(element, event);
      if (!isMeant || !isInside(area, at)) return;
      event.preventDefault();
      const share = WHEEL_RATE ** event.deltaY;
      const next = zoomedAround(shown, area, at, share);
      setLive(next);
      latest.current.shown = next;
      clearTimeout(timer);
      timer = setTimeout(() => {
        latest.current.onSpans(latest.current.shown);
        setLive(null);
      }, WHEEL_REST_MS);
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => {
      clearTimeout(timer);
      element.removeEventListener("wheel", onWheel);
    };
  }, [host]);

  const handlers = {
    onPointerDown(event: PointerEvent<HTMLElement>) {
      if (event.button !== 0) return;
      const at = positionIn(event.currentTarget, event);
      if (isInside(area, at)) press.current = { at, spans: shown, isPan: false };
    },
    onPointerMove(event: PointerEvent<HTMLElement>) {
      const at = positionIn(event.currentTarget, event);
      const started = press.current;
      if (started === null) {
        onHover(isInside(area, at) ? at : null);
        return;
      }
      const by = { x: at.x - started.at.x, y: at.y - started.at.y };
      if (!started.isPan) {
        // A finger scrolls the page; buttons zoom there.
        if (event.pointerType === "touch" || Math.hypot(by.x, by.y) < CLICK_PX) return;
        started.isPan = true;
        event.currentTarget.setPointerCapture(event.pointerId);
        onHover(null);
      }
      setLive({
        x: panned(started.spans.x, -by.x / area.width),
        y: panned(started.spans.y, by.y / area.height),
      });
    },
    onPointerUp(event: PointerEvent<HTMLElement>) {
      const started = press.current;
      press.current = null;
      if (started === null) return;
      if (!started.isPan) onClick(positionIn(event.currentTarget, event));
      else if (live !== null) {
        onSpans(live);
        setLive(null);
      }
    },
    onPointerCancel() {
      press.current = null;
      setLive(null);
    },
    onPointerLeave() {
      if (press.current === null) onHover(null);
    },
  };

  return { shown, handlers };
}

function positionIn(element: Element, event: { clientX: number; clientY: number }): Position {
  const box = element.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

function zoomedAround(spans: Spans, area: Area, at: Position, share: number): Spans {
  const along = (span: Span, where: number) => zoomed(span, placeAt(span, where), share);
  return {
    x: along(spans.x, (at.x - area.left) / area.width),
    y: along(spans.y, 1 - (at.y - area.top) / area.height),
  };
}

/** Both spans made narrower or wider around their middle. */
export function zoomedAtCentre(spans: Spans, share: number): Spans {
  return {
    x: zoomed(spans.x, placeAt(spans.x, 0.5), share),
    y: zoomed(spans.y, placeAt(spans.y, 0.5), share),
  };
}

/** Spans as values, which are what an address holds. */
export function valuesOf(spans: Spans, plane: Plane): Spans {
  const values = (span: Span, isLog: boolean) => ({
    low: toValue(span.low, isLog),
    high: toValue(span.high, isLog),
  });
  return { x: values(spans.x, plane.logX), y: values(spans.y, plane.logY) };
}
