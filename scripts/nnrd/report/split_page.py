"""A page to look around in a table of splits; it needs no network and no library."""

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Splits</title><style>
body{font:14px sans-serif;margin:1em;max-width:1100px}svg{width:100%;height:auto}
#info{min-height:5.5em;white-space:pre-wrap;font-family:monospace}
text{font-size:12px}.grid{stroke:#ddd}.size{stroke:#0072B2}.branches{stroke:#D55E00}
.plain{stroke:#999;stroke-dasharray:5 3}path{fill:none;stroke-width:1.5}
</style></head><body><h3 id="title"></h3>
<p>Move over the plot to see a split; drag to zoom in, double-click to zoom out.
Dashed grey: as TR 26.847 counts; in colour: what has to cross.</p>
<svg id="plot" viewBox="0 0 1000 560"></svg><div id="info"></div><script>
const data = /*DATA*/null;
const [RANK, NAME, OP, BRANCHES, BYTES, PLAIN_BRANCHES, PLAIN_BYTES] = [0, 1, 2, 3, 4, 5, 6];
const panels = [
  {top: 20, label: "MB (10\\u2076 bytes)", lean: BYTES, plain: PLAIN_BYTES, unit: 1e6, css: "size"},
  {top: 290, label: "branches", lean: BRANCHES, plain: PLAIN_BRANCHES, unit: 1, css: "branches"}];
const left = 60, width = 920, height = 220, svg = document.getElementById("plot");
let view = [0, data.rows.length - 1], start = null;
document.getElementById("title").textContent = data.title;
function add(kind, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  svg.appendChild(made);
  return made;
}
const x = index => left + width * (index - view[0]) / Math.max(1, view[1] - view[0]);
function draw() {
  svg.replaceChildren();
  const shown = data.rows.slice(view[0], view[1] + 1);
  for (const panel of panels) {
    const values = shown.flatMap(row => [row[panel.lean], row[panel.plain]]);
    const top = Math.max(...values.filter(v => v !== null), panel.unit) * 1.05;
    const y = value => panel.top + height * (1 - value / top);
    for (let i = 0; i <= 4; i++) {
      const value = top * i / 4;
      add("line", {x1: left, x2: left + width, y1: y(value), y2: y(value), class: "grid"});
      const text = (value / panel.unit).toPrecision(3);
      add("text", {x: left - 5, y: y(value) + 4, "text-anchor": "end"}, text);
    }
    add("text", {x: left + 5, y: panel.top - 5}, panel.label);
    for (const [column, css] of [[panel.plain, "plain"], [panel.lean, panel.css]]) {
      let d = "", pen = "M";
      shown.forEach((row, i) => {
        if (row[column] === null) { pen = "M"; return; }
        d += pen + x(view[0] + i).toFixed(1) + " " + y(row[column]).toFixed(1);
        pen = "L";
      });
      add("path", {d: d, class: css});
    }
  }
  for (let i = 0; i <= 8; i++) {
    const index = Math.round(view[0] + (view[1] - view[0]) * i / 8);
    add("text", {x: x(index), y: 530, "text-anchor": "middle"}, data.rows[index][RANK]);
  }
  const label = "rank of the first node of part II";
  add("text", {x: left + width / 2, y: 552, "text-anchor": "middle"}, label);
  svg.cursor = add("line", {y1: 20, y2: 510, x1: -9, x2: -9, stroke: "#000"});
}
function at(event) {
  const box = svg.getBoundingClientRect();
  const place = ((event.clientX - box.left) * 1000 / box.width - left) / width;
  const index = Math.round(view[0] + place * (view[1] - view[0]));
  return Math.min(Math.max(index, view[0]), view[1]);
}
const bytes = value => value === null ? "needs inference" : value.toLocaleString("en") + " bytes";
svg.onmousemove = event => {
  const index = at(event), row = data.rows[index];
  svg.cursor.setAttribute("x1", x(index));
  svg.cursor.setAttribute("x2", x(index));
  document.getElementById("info").textContent = "before rank " + row[RANK] + ": " + row[NAME] +
    " (" + row[OP] + ")\\nwhat has to cross: " + row[BRANCHES] + " branches, " + bytes(row[BYTES]) +
    "\\nas TR 26.847 counts: " + row[PLAIN_BRANCHES] + " branches, " + bytes(row[PLAIN_BYTES]);
};
svg.onmousedown = event => { start = at(event); event.preventDefault(); };
svg.onmouseup = event => {
  const range = [start, at(event)].sort((a, b) => a - b);
  if (start !== null && range[1] - range[0] > 2) { view = range; draw(); }
  start = null;
};
svg.ondblclick = () => { view = [0, data.rows.length - 1]; draw(); };
draw();
</script></body></html>
"""
