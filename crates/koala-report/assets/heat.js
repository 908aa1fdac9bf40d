"use strict";
// Heat maps: a row a block, a column a step, colours on a logarithmic scale.

{
  // Cividis: the same for all kinds of colour vision, and in grey.
  const STOPS = [[0, 32, 77], [49, 68, 107], [102, 105, 112], [149, 143, 120], [203, 186, 105], [255, 234, 70]];

  function colour(share) {
    const place = Math.min(Math.max(share, 0), 1) * (STOPS.length - 1);
    const at = Math.min(Math.floor(place), STOPS.length - 2);
    const mix = STOPS[at].map((from, part) => Math.round(from + (STOPS[at + 1][part] - from) * (place - at)));
    return `rgb(${mix.join(",")})`;
  }

  class Heat {
    constructor(place) {
      this.place = place;
      this.heat = page.drawings.heats[Number(place.dataset.heat)];
      this.canvas = page.element("canvas", "cells", place);
      page.describe(this.canvas, "heat", place.dataset.heat);
      const ends = page.element("div", "ends", place);
      const steps = this.heat.steps;
      page.element("span", "", ends, `step ${steps[0]}`);
      page.element("span", "", ends, `step ${steps[steps.length - 1]}`);
      this.legend();
      this.tooltip = page.tooltip(place);
      this.cell = [0, 0];
      this.listen();
      this.redraw();
      page.saver(place.closest("figure"), () => this.save());
      new ResizeObserver(() => this.redraw()).observe(place);
    }

    // The same cells as rectangles; neighbours of one colour are one.
    save() {
      const { cells, steps, blocks, low, high } = this.heat;
      const [left, wide, row] = [180, 560, Math.min(20, Math.max(5, 300 / cells.length))];
      const each = wide / steps.length;
      const escape = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
      const parts = [];
      cells.forEach((values, block) => {
        const top = block * row;
        if (row >= 11) parts.push(`<text x="${left - 8}" y="${(top + row / 2 + 4).toFixed(1)}" text-anchor="end">${escape(blocks[block].slice(0, 24))}</text>`);
        for (let from = 0; from < values.length;) {
          let to = from + 1;
          const fill = values[from] === null ? null : colour(this.share(values[from]));
          while (to < values.length && (values[to] === null ? null : colour(this.share(values[to]))) === fill) to++;
          if (fill) parts.push(`<rect x="${(left + from * each).toFixed(1)}" y="${top.toFixed(1)}" width="${((to - from) * each + 0.1).toFixed(1)}" height="${row.toFixed(1)}" fill="${fill}"/>`);
          from = to;
        }
      });
      const foot = cells.length * row + 18;
      const value = (hundredths) => page.number(Number((10 ** (hundredths / 100)).toPrecision(2)));
      parts.push(`<text x="${left}" y="${foot}">step ${steps[0]}</text><text x="${left + wide}" y="${foot}" text-anchor="end">step ${steps[steps.length - 1]}</text>`);
      parts.push(`<text x="${left}" y="${foot + 20}">dark ${value(low)}, bright ${value(high)}, logarithmic; empty: left alone</text>`);
      const title = this.place.closest("figure").querySelector("figcaption").textContent;
      const box = `0 0 ${left + wide} ${foot + 30}`;
      page.save(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box}" font-family="system-ui, sans-serif" font-size="12" fill="${page.colour("--quiet")}"><title>${escape(title)}</title><rect width="100%" height="100%" fill="${page.colour("--paper")}"/>${parts.join("")}</svg>`,
        "effective-learning-rates.svg");
    }

    share(value) {
      const { low, high } = this.heat;
      return high > low ? (value - low) / (high - low) : 0.5;
    }

    legend() {
      const { low, high } = this.heat;
      const row = page.element("div", "scale", this.place);
      page.element("span", "", row, page.number(Number((10 ** (low / 100)).toPrecision(2))));
      const bar = page.element("span", "bar", row);
      bar.style.background = `linear-gradient(to right, ${STOPS.map((stop) => `rgb(${stop.join(",")})`).join(", ")})`;
      page.element("span", "", row, page.number(Number((10 ** (high / 100)).toPrecision(2))));
      page.element("span", "quiet", row, "effective learning rate, logarithmic; empty: left alone");
    }

    redraw() {
      const { cells, steps } = this.heat;
      const width = this.place.clientWidth;
      if (width === 0) return;
      const each = Math.min(22, Math.max(5, 300 / cells.length));
      const height = Math.round(each * cells.length);
      const ratio = devicePixelRatio;
      this.canvas.style.height = `${height}px`;
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      const ctx = this.canvas.getContext("2d");
      const across = this.canvas.width / steps.length;
      const down = this.canvas.height / cells.length;
      cells.forEach((row, block) => row.forEach((value, step) => {
        if (value === null) return;
        ctx.fillStyle = colour(this.share(value));
        const [left, top] = [Math.floor(step * across), Math.floor(block * down)];
        ctx.fillRect(left, top, Math.floor((step + 1) * across) - left, Math.floor((block + 1) * down) - top);
      }));
    }

    listen() {
      const { cells, steps } = this.heat;
      const inside = (at, count) => Math.min(Math.max(at, 0), count - 1);
      this.canvas.addEventListener("pointermove", (event) => {
        const box = this.canvas.getBoundingClientRect();
        const step = Math.floor((event.clientX - box.left) / box.width * steps.length);
        const block = Math.floor((event.clientY - box.top) / box.height * cells.length);
        this.tell(inside(block, cells.length), inside(step, steps.length));
      });
      this.canvas.addEventListener("keydown", (event) => {
        const [block, step] = this.cell;
        const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
        if (event.key === "Escape") this.tooltip.hide();
        if (move === undefined) return;
        event.preventDefault();
        this.tell(inside(block + move[0], cells.length), inside(step + move[1], steps.length));
      });
      for (const end of ["pointerleave", "blur"]) this.canvas.addEventListener(end, () => this.tooltip.hide());
    }

    tell(block, step) {
      const { blocks, cells, steps } = this.heat;
      this.cell = [block, step];
      const value = cells[block][step];
      const told = value === null ? "left alone" : page.number(Number((10 ** (value / 100)).toPrecision(2)));
      const box = this.canvas;
      this.tooltip.show((step + 0.5) / steps.length * box.clientWidth, (block + 0.5) / blocks.length * box.clientHeight, [
        page.element("strong", "", null, blocks[block]),
        page.element("div", "", null, `step ${steps[step]}: ${told}`),
      ]);
    }
  }

  page.whenNear(".heat", (place) => new Heat(place));
}
