"use strict";
// A heading sorts its table: by the number behind a cell, else by its text. Missing ones stay last.
function key(row, index) {
  const cell = row.cells[index];
  if (cell.dataset.sort !== undefined) return Number(cell.dataset.sort);
  return cell.classList.contains("number") ? null : cell.textContent;
}
function compare(a, b) {
  return typeof a === "number" ? a - b : String(a).localeCompare(b);
}
for (const button of document.querySelectorAll("table.sorts th button")) {
  button.addEventListener("click", () => {
    const th = button.parentElement;
    const up = th.getAttribute("aria-sort") !== "ascending";
    for (const other of th.parentElement.cells) other.removeAttribute("aria-sort");
    th.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = th.closest("table").tBodies[0];
    const rows = [...body.rows].map((row) => [key(row, th.cellIndex), row]);
    const missing = rows.filter(([k]) => k === null || k === "");
    const there = rows.filter(([k]) => k !== null && k !== "");
    there.sort(([a], [b]) => (up ? compare(a, b) : compare(b, a)));
    body.append(...there.concat(missing).map(([, row]) => row));
  });
}
// A queue chosen hides the charts and rows of the others.
const filter = document.getElementById("filter");
filter.addEventListener("change", () => {
  const of = filter.elements.of.value;
  for (const part of document.querySelectorAll("[data-of]")) {
    part.hidden = of !== "" && part.dataset.of !== of;
  }
});
