"use strict";
// Every figure as an SVG file, by a click: a drawing as it stands in the page, a chart as it is shown at the moment.

{
  const NAMESPACE = "http://www.w3.org/2000/svg";
  const style = document.getElementById("scene-style").textContent;

  // Few programs but browsers know variables, and a file has no other style than its own.
  function resolved(element) {
    for (const part of [element, ...element.querySelectorAll("[style]")]) {
      const text = part.getAttribute("style");
      if (text) part.setAttribute("style", text.replace(/var\((--[a-z0-9-]+)\)/g, (_, name) => page.colour(name)));
    }
  }

  function file(svg) {
    const copy = svg.cloneNode(true);
    resolved(copy);
    const paper = document.createElementNS(NAMESPACE, "rect");
    for (const [name, value] of Object.entries({ width: "100%", height: "100%", class: "paper", style: `color:${page.colour("--paper")}` })) {
      paper.setAttribute(name, value);
    }
    const sheet = document.createElementNS(NAMESPACE, "style");
    sheet.textContent = style;
    copy.prepend(sheet, paper);
    return new XMLSerializer().serializeToString(copy);
  }

  page.save = (svg, name) => {
    const text = typeof svg === "string" ? svg : file(svg);
    page.saved = { name, text };
    const link = page.element("a", "", document.body);
    link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    link.download = name;
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };

  page.saver = (figure, act) => {
    const button = page.element("button", "save script", figure, "SVG");
    button.type = "button";
    button.title = "Save this figure as SVG";
    button.setAttribute("aria-label", `Save as SVG: ${figure.querySelector("figcaption")?.textContent ?? "figure"}`);
    button.addEventListener("click", act);
  };

  for (const figure of document.querySelectorAll("figure.drawn")) {
    page.saver(figure, () => page.save(figure.querySelector("svg"), figure.dataset.file));
  }

  // A line of a chart that lies at these pixels.
  const path = (points) => {
    let pen = false;
    return points.map(([x, y]) => {
      if (x === null || y === null || !Number.isFinite(x + y)) {
        pen = false;
        return "";
      }
      const at = `${pen ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = true;
      return at;
    }).join("");
  };

  // What a chart shows at the moment. `lines`: name, colour, class, and places of middle, low and high.
  page.vector = ({ width, height, frame, title, description, x, y, xTicks, yTicks, level, lines }) => {
    const svg = document.createElementNS(NAMESPACE, "svg");
    const add = (parent, kind, attributes, text) => {
      const element = document.createElementNS(NAMESPACE, kind);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      if (text !== undefined) element.textContent = text;
      parent.append(element);
      return element;
    };
    const { left, top, width: wide, height: high } = frame;
    const names = Math.max(...lines.map(({ name }) => name.length), 0) * 7.4 + 24;
    for (const [name, value] of Object.entries({
      xmlns: NAMESPACE, class: "scene", width: width + names, height: height + 24, viewBox: `0 -24 ${width + names} ${height + 24}`, role: "img",
    })) svg.setAttribute(name, value);
    add(svg, "title", {}, title);
    add(svg, "desc", {}, description);
    const paint = (name) => `color:${page.colour(name)}`;
    const words = (at, anchor, kind, text, style) =>
      add(svg, "text", { x: at[0].toFixed(1), y: at[1].toFixed(1), "text-anchor": anchor, class: kind, style: style ?? paint("--quiet") }, text);
    const grid = yTicks.map(([at]) => `M${left} ${(top + at).toFixed(1)}h${wide}`).join("");
    add(svg, "path", { class: "grid", style: paint("--line"), d: grid });
    for (const [at, text] of yTicks) words([left - 6, top + at + 4], "end", "tick", text);
    for (const [at, text] of xTicks) words([left + at, top + high + 17], "middle", "tick", text);
    words([left + wide, top + high + 36], "end", "axis", x);
    words([0, top - 10], "start", "axis", y);
    const inner = add(svg, "svg", { x: left, y: top, width: wide, height: high, viewBox: `0 0 ${wide} ${high}`, overflow: "hidden" });
    if (level) {
      add(inner, "path", { class: "level", style: paint("--text"), d: `M0 ${level[0].toFixed(1)}H${wide}` });
      add(inner, "text", { class: "level", style: paint("--text"), x: 6, y: (level[0] - 5).toFixed(1) }, level[1]);
    }
    for (const { colour, low, high: top } of lines) {
      const area = path([...top, ...[...low].reverse()]);
      if (low.some(([, y]) => y !== null)) add(inner, "path", { class: "band", style: `color:${colour}`, d: `${area}Z` });
    }
    for (const { colour, dash, strong, middle } of lines) {
      const kind = `curve${dash ? ` dash-${dash}` : strong ? " strong" : ""}`;
      add(inner, "path", { class: kind, style: `color:${colour}`, d: path(middle) });
    }
    // Names at the ends, a line apart at least, in the order of their lines.
    const ends = lines
      .map((line) => ({ line, at: [...line.middle, ...line.high].filter(([, y]) => y !== null).pop() ?? null }))
      .filter(({ at }) => at !== null)
      .sort((one, other) => one.at[1] - other.at[1]);
    let foot = -Infinity;
    const feet = ends.map(({ at }) => (foot = Math.max(Math.min(at[1], high), foot + 16)));
    const over = Math.max(0, feet[feet.length - 1] - high);
    ends.forEach(({ line }, at) =>
      words([left + wide + 12, top + Math.max(feet[at] - over, 16 * at) + 4], "start", line.strong ? "name strong" : "name", line.name, `color:${line.colour}`));
    return svg;
  };
}
