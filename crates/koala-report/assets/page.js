"use strict";
// What charts and heat maps share: the data, the theme, tooltips, and when things are drawn.

const page = {
  drawings: JSON.parse(document.getElementById("drawings").textContent),
  drawn: [],

  colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  },

  element(kind, className, parent, text) {
    const element = document.createElement(kind);
    element.className = className;
    if (text !== undefined) element.textContent = text;
    if (parent) parent.append(element);
    return element;
  },

  button(parent, text, pressed, act) {
    const button = page.element("button", "", parent, text);
    button.type = "button";
    button.setAttribute("aria-pressed", pressed);
    button.addEventListener("click", () => act(button));
    return button;
  },

  // As people write numbers: four digits, no needless zeros.
  number(value) {
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (Number.isInteger(value) && size < 1e7) return String(value);
    if (size < 1e-4 || size >= 1e7) return value.toExponential(2);
    return String(Number(value.toPrecision(4)));
  },

  // A tooltip within `parent`. Screen readers are told what stands in it.
  tooltip(parent) {
    const tooltip = page.element("div", "tooltip", parent);
    tooltip.setAttribute("role", "status");
    tooltip.hidden = true;
    return {
      show(left, top, rows) {
        tooltip.replaceChildren(...rows);
        tooltip.hidden = false;
        const space = parent.clientWidth - tooltip.offsetWidth;
        const beside = left + 16 <= space ? left + 16 : left - tooltip.offsetWidth - 16;
        tooltip.style.left = `${Math.max(0, Math.min(beside, space))}px`;
        tooltip.style.top = `${Math.max(0, top - tooltip.offsetHeight / 2)}px`;
      },
      hide() {
        tooltip.hidden = true;
      },
    };
  },

  // Words of the figure for those who cannot see its drawing.
  describe(element, kind, number) {
    element.tabIndex = 0;
    element.setAttribute("role", "img");
    element.setAttribute("aria-labelledby", `${kind}-${number}-caption`);
    element.setAttribute("aria-describedby", `${kind}-${number}-description`);
  },

  // Draws when the place comes near the window: a page may have a hundred charts.
  whenNear(selector, draw) {
    const near = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        near.unobserve(entry.target);
        page.drawn.push(draw(entry.target));
      }
    }, { rootMargin: "400px" });
    const all = document.querySelectorAll(selector);
    for (const place of all) near.observe(place);
    addEventListener("beforeprint", () => {
      for (const place of all) {
        if (place.childElementCount > 0 || !place.checkVisibility()) continue;
        near.unobserve(place);
        page.drawn.push(draw(place));
      }
    });
  },

  redraw() {
    for (const drawing of page.drawn) drawing.redraw();
  },
};

{
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const show = () => {
    button.setAttribute("aria-pressed", dark());
    page.redraw();
  };
  root.classList.add("scripted");

  // What a link points at is unfolded.
  const unfold = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let around = target.closest("details"); around; around = around.parentElement?.closest("details")) around.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  if (location.hash) unfold();
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    show();
  });
  system.addEventListener("change", show);

  // Paper is white and as wide as it is.
  let before;
  addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.theme = "light";
    root.classList.add("printed");
    show();
  });
  addEventListener("afterprint", () => {
    if (before === undefined) delete root.dataset.theme;
    else root.dataset.theme = before;
    root.classList.remove("printed");
    show();
  });
  show();
}
