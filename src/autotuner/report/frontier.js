"use strict";
// The frontier, drawn anew for the quantities chosen and for the width that the window leaves.
const data = JSON.parse(document.getElementById("data").textContent);
const svg = document.getElementById("svg");
const CHARACTER = 7.8, LINE = 15;
function node(name, attributes, text) {
  const made = document.createElementNS("http" + "://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  svg.append(made);
  return made;
}
function label(value) {
  for (const [unit, letter, scale] of [[1e9, "G", 1e9], [1e6, "M", 1e6], [1e4, "k", 1e3]])
    if (value >= unit) return +(value / scale).toPrecision(6) + letter;
  return value >= 1000 ? value.toLocaleString("en-US") : String(+value.toPrecision(3));
}
function axis(top, room) {
  const power = 10 ** Math.floor(Math.log10(top / room));
  const step = power * [1, 2, 2.5, 5, 10].find(m => power * m * room >= top);
  const ticks = [];
  for (let i = 0; i * step <= top * 1.0001; i++) ticks.push([i * step, label(i * step)]);
  return {top, ticks, widest: Math.max(...ticks.map(t => t[1].length)) * CHARACTER};
}
function draw() {
  const x = document.getElementById("x").value, y = document.getElementById("y").value;
  const shown = data.points.filter(p => x in p.values && y in p.values);
  const width = Math.max(svg.parentElement.clientWidth, 300);
  const height = Math.min(420, Math.max(260, width * 0.55));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren();
  const highest = name => 1.05 * Math.max(...shown.map(p => (p.intervals[name] || [0, p.values[name]])[1]), 1e-9);
  const bottom = height - 2 * LINE - 6, down = axis(highest(y), bottom / 60);
  const left = 26 + down.widest, across = axis(highest(x), (width - left) / 90);
  const right = width - Math.max(12, across.widest / 2);
  const px = v => left + Math.min(v / across.top, 1) * (right - left);
  const py = v => bottom - Math.min(v / down.top, 1) * (bottom - 12);
  for (const [v, text] of down.ticks) {
    node("line", {x1: left, x2: right, y1: py(v), y2: py(v), class: "rule"});
    node("text", {x: left - 5, y: py(v) + 4, "text-anchor": "end"}, text);
  }
  for (const [v, text] of across.ticks) node("text", {x: px(v), y: bottom + LINE, "text-anchor": "middle"}, text);
  node("text", {x: (left + right) / 2, y: height - 5, "text-anchor": "middle"}, data.axes[x]);
  node("text", {x: 14, y: bottom / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${bottom / 2})`}, data.axes[y]);
  if (data.limits[x] <= across.top)
    node("line", {x1: px(data.limits[x]), x2: px(data.limits[x]), y1: 12, y2: bottom, class: "limit"});
  if (data.limits[y] <= down.top)
    node("line", {x1: left, x2: right, y1: py(data.limits[y]), y2: py(data.limits[y]), class: "limit"});
  const front = shown.filter(p => p.on_frontier).sort((a, b) => a.values[x] - b.values[x]);
  node("polyline", {points: front.map(p => px(p.values[x]) + "," + py(p.values[y])).join(" ")});
  for (const p of [...shown].sort((a, b) => a.on_frontier - b.on_frontier)) {
    const kind = p.recommended ? "best" : p.on_frontier ? "front" : "";
    const at = {x: px(p.values[x]), y: py(p.values[y])};
    if (p.intervals[x]) node("line", {x1: px(Math.max(p.intervals[x][0], 0)), x2: px(p.intervals[x][1]), y1: at.y, y2: at.y, class: "interval " + kind});
    if (p.intervals[y]) node("line", {x1: at.x, x2: at.x, y1: py(Math.max(p.intervals[y][0], 0)), y2: py(p.intervals[y][1]), class: "interval " + kind});
    const dot = node("circle", {cx: at.x, cy: at.y, r: p.on_frontier ? 6 : 4,
      tabindex: 0, role: "link", "aria-label": p.text, class: kind});
    const describe = () => { document.getElementById("description").textContent = p.text; };
    const open = () => {
      const found = document.getElementById("e-" + p.experiment);
      document.querySelectorAll("details.hit").forEach(d => d.classList.remove("hit"));
      found.classList.add("hit"); found.open = true; found.scrollIntoView({behavior: "smooth"});
    };
    dot.addEventListener("mouseenter", describe); dot.addEventListener("focus", describe);
    dot.addEventListener("click", open);
    dot.addEventListener("keydown", e => { if (e.key === "Enter") open(); });
  }
}
if (svg && data.points.length) {
  const known = Object.entries(data.axes).filter(([name]) => data.points.some(p => name in p.values));
  for (const [id, first] of [["x", data.plane[0]], ["y", data.plane[1]]]) {
    const select = document.getElementById(id);
    for (const [name, label] of known) select.add(new Option(label, name, false, name === first));
    select.addEventListener("change", draw);
  }
  document.getElementById("plot").hidden = false;
  let drawn = 0;
  new ResizeObserver(([entry]) => {
    const width = Math.round(entry.contentRect.width);
    if (width !== drawn) { drawn = width; draw(); }
  }).observe(svg.parentElement);
}
for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", async () => {
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  button.textContent = "copied";
});
