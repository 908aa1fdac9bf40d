"use strict";
// Tables that are sorted by a click on a head, and forest plots whose reference one chooses.

{
  // A cell's value: its key if it has one, else the number with which its text begins, else its text. Nothing comes last.
  function key(cell) {
    const text = cell.dataset.key ?? cell.textContent.trim();
    if (text === "" || text === "–") return null;
    const number = Number(cell.dataset.key === undefined ? text.replace(/^[<≥] /, "").match(/^[+-]?[\d.]+(e[+-]?\d+)?/)?.[0] ?? "x" : text);
    return Number.isNaN(number) || !cell.dataset.key && cell.tagName === "TH" ? text : number;
  }

  function order(one, other) {
    if (one === null || other === null) return (one === null) - (other === null);
    if (typeof one === typeof other) return one < other ? -1 : Number(one > other);
    return typeof one === "number" ? -1 : 1;
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    const first = [...body.rows];
    // A table of one row has no order.
    if (first.length < 2) continue;
    heads.forEach((head, at) => {
      const button = page.element("button", "sort", null, head.textContent);
      button.type = "button";
      head.replaceChildren(button);
      // Ascending, descending, and as it was.
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: null }[head.ariaSort];
        const sort = next === undefined ? "ascending" : next;
        for (const other of heads) other.ariaSort = null;
        head.ariaSort = sort;
        const turn = sort === "descending" ? -1 : 1;
        const keys = new Map(first.map((row) => [row, key(row.cells[at])]));
        const compared = (one, other) => {
          const [a, b] = [keys.get(one), keys.get(other)];
          return a === null || b === null ? order(a, b) : turn * order(a, b);
        };
        body.append(...(sort === null ? first : [...first].sort(compared)));
      });
    });
  }

  // Columns that one does not need can be put away.
  const MANY = 6;
  for (const table of document.querySelectorAll(".wide table")) {
    const heads = table.tHead ? [...table.tHead.rows[0].cells] : [];
    if (heads.length < MANY) continue;
    const details = page.element("details", "columns script");
    page.element("summary", "", details, "Columns");
    const choice = page.element("div", "", details);
    heads.forEach((head, at) => {
      // The first says whose row it is.
      if (at === 0) return;
      const label = page.element("label", "", choice);
      const box = page.element("input", "", label);
      box.type = "checkbox";
      box.checked = true;
      label.append(head.textContent);
      box.addEventListener("change", () => {
        for (const row of table.rows) if (row.cells.length === heads.length) row.cells[at].hidden = !box.checked;
      });
    });
    table.parentElement.before(details);
  }

  const watch = new ResizeObserver((entries) => {
    for (const { target } of entries) target.classList.toggle("scrolls", target.scrollWidth > target.clientWidth + 1);
  });
  for (const wide of document.querySelectorAll(".wide")) {
    watch.observe(wide);
    wide.addEventListener("scroll", () => wide.classList.remove("scrolls"), { once: true });
  }

  for (const forest of document.querySelectorAll(".forest")) {
    const groups = [...forest.querySelectorAll("tbody[data-reference]")];
    if (groups.length < 2) continue;
    const label = page.element("label", "reference", null, "Reference: ");
    const select = page.element("select", "", label);
    for (const group of groups) {
      const option = page.element("option", "", select, group.dataset.reference);
      option.selected = !group.hidden;
    }
    select.addEventListener("change", () => {
      groups.forEach((group, at) => group.hidden = at !== select.selectedIndex);
    });
    forest.prepend(label);
  }
}
