"use strict";
// Charts of lines, each with a band, by uPlot. Legend, switches and tooltip are our own.

{
  const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [14, 4]];
  const COUNTED = ["steps", "trials"];
  const INCREMENTS = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();
  const whole = (u, places) => places;
  // Between powers of ten a logarithmic axis has no lines: they would hide the curves.
  const powers = (u, places) => places.map((place) => Math.abs(Math.log10(place) % 1) < 1e-6 ? place : null);
  const hue = (series) => page.colour(series.hue === null ? "--grey" : `--hue-${series.hue}`);
  const width = (series) => series.koala ? 2.75 : 1.75;
  // Of two kinds in one chart the defaults are paler.
  const pale = (chart, series) =>
    chart.kind === "both" && series.kind === "defaults" && chart.tuned(chart.chart.series.indexOf(series)) ? "80" : "";
  const dash = (series) => DASHES[series.dash % DASHES.length];

  class Chart {
    constructor(place) {
      this.place = place;
      this.chart = page.drawings.charts[Number(place.dataset.chart)];
      this.view = 0;
      this.log = this.chart.log;
      this.hidden = new Set(this.chart.series.flatMap((series, at) => series.shown ? [] : [at]));
      this.kinds = [...new Set(this.chart.series.map((series) => series.kind))].filter((kind) => this.has(kind));
      this.kind = this.kinds.includes("tuned") ? "tuned" : this.kinds[0] ?? null;
      // Where some are tuned and some are not, each optimizer is shown once.
      const { series } = this.chart;
      if (this.kinds.length > 1 && series.some((one, at) => one.kind !== "tuned" && !this.tuned(at))) {
        this.kind = "both";
        series.forEach((one, at) => { if (one.kind !== "tuned" && this.tuned(at)) this.hidden.add(at); });
      }
      this.whole = false;
      this.controls();
      this.plot = page.element("div", "plot", place);
      page.describe(this.plot, "chart", place.dataset.chart);
      this.tooltip = page.tooltip(place);
      this.cut = page.element("p", "cut", place);
      this.entries = page.element("div", "legend", place);
      this.legend();
      this.keys();
      this.redraw();
      page.saver(place.closest("figure"), () => this.save());
      new ResizeObserver(() => this.resize()).observe(place);
    }

    // What is shown at the moment, as a file.
    save() {
      const { u, chart } = this;
      const ratio = devicePixelRatio;
      const frame = { left: u.bbox.left / ratio, top: u.bbox.top / ratio, width: u.bbox.width / ratio, height: u.bbox.height / ratio };
      const place = (values) => values.map((value, at) => [u.valToPos(u.data[0][at], "x"), value === null ? null : u.valToPos(value, "y")]);
      const count = chart.series.length;
      const lines = chart.series.flatMap((series, at) => this.shown(at) ? [{
        name: this.name(at),
        colour: hue(series) + pale(this, series),
        dash: series.dash % DASHES.length,
        strong: series.koala,
        low: place(u.data[1 + 2 * at]),
        high: place(u.data[2 + 2 * at]),
        middle: place(u.data[1 + 2 * count + at]),
      }] : []);
      const ticks = (axis, scale) => {
        const { _splits: places, _values: texts } = u.axes[axis];
        return (places ?? []).map((value, at) => [u.valToPos(value, scale), texts[at] ?? ""]).filter(([, text]) => text !== "");
      };
      const figure = this.place.closest("figure");
      const title = figure.querySelector("figcaption").textContent;
      const level = chart.reference === null || chart.reference[0] === null ? null : [u.valToPos(chart.reference[0], "y"), chart.reference[1]];
      page.save(page.vector({
        width: u.width, height: u.height, frame, title, description: figure.querySelector(".description").textContent,
        x: chart.views[this.view].x, y: chart.y, xTicks: ticks(0, "x"), yTicks: ticks(1, "y"), level, lines,
      }), `${title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "")}.svg`);
    }

    controls() {
      const row = page.element("div", "controls", this.place);
      const views = this.chart.views;
      if (this.kinds.length > 1) {
        this.choice(row, "Hyperparameters", [...this.kinds, "both"], this.kind === "both" ? this.kinds.length : this.kinds.indexOf(this.kind), (at) => {
          this.kind = this.kinds[at] ?? "both";
          this.legend();
          this.redraw();
        });
      }
      if (views.length > 1) {
        this.choice(row, "Horizontal axis", views.map((view) => view.x), 0, (at) => {
          this.view = at;
          this.redraw();
        });
      }
      if (this.positive()) {
        page.button(row, "log scale", this.log, (button) => {
          this.log = !this.log;
          button.setAttribute("aria-pressed", this.log);
          this.redraw();
        });
      }
    }

    // Buttons of which one is pressed.
    choice(row, name, texts, pressed, act) {
      const group = page.element("span", "group", row);
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", name);
      const buttons = texts.map((text, at) =>
        page.button(group, text, at === pressed, () => {
          buttons.forEach((button, other) => button.setAttribute("aria-pressed", other === at));
          act(at);
        }));
    }

    // Whether lines of a kind have anything to show.
    has(kind) {
      const { series, views } = this.chart;
      const any = (values) => values.some((value) => value !== null);
      return series.some((one, at) => one.kind === kind && views.some(({ lines }) => any(lines[at].middle) || any(lines[at].high)));
    }

    // The tuned line of the same optimizer, if there is one.
    tuned(at) {
      const { series } = this.chart;
      return series.find((one, other) => other !== at && one.name === series[at].name && one.kind === "tuned");
    }

    // Whether a line is among those that can be chosen now, and whether it is chosen.
    offered(at) {
      return this.kind === "both" || this.chart.series[at].kind === this.kind;
    }

    shown(at) {
      return this.offered(at) && !this.hidden.has(at);
    }

    name(at) {
      const { name, kind } = this.chart.series[at];
      return this.kind === "both" ? `${name}, ${kind}` : name;
    }

    positive() {
      const { join, views } = this.chart;
      const above = (line) => line.middle.every((value) => value === null || value > 0);
      const low = (line) => line.middle.length > 0 || line.low.every((value) => value === null || value > 0);
      return join !== "steps" && views[0].lines.every((line) => above(line) && low(line));
    }

    legend() {
      this.entries.replaceChildren();
      const { series } = this.chart;
      const offered = series.map((one, at) => at).filter((at) => this.offered(at));
      const apart = [true, false].map((koala) => offered.filter((at) => series[at].koala === koala));
      const named = offered.length > 4 && apart.every((group) => group.length > 0);
      const groups = named ? apart : [offered];
      const buttons = new Map();
      const show = () => {
        for (const [at, button] of buttons) button.setAttribute("aria-pressed", !this.hidden.has(at));
        this.redraw();
      };
      groups.forEach((group, at) => {
        if (group.length === 0) return;
        const row = page.element("div", "group", this.entries);
        row.setAttribute("role", "group");
        row.setAttribute("aria-label", "Lines shown");
        if (named) page.element("span", "quiet", row, ["KOALA", "Others"][at]);
        for (const at of group) buttons.set(at, this.entry(row, at, show));
      });
      if (offered.length < 6) return;
      const row = page.element("div", "group presets", this.entries);
      const choose = (hide) => () => {
        for (const at of offered) hide(series[at]) ? this.hidden.add(at) : this.hidden.delete(at);
        show();
      };
      page.element("span", "quiet", row, "Show");
      const presets = [["all", () => false]];
      if (offered.some((at) => !series[at].shown)) presets.unshift(["KOALA and the best others", (one) => !one.shown]);
      for (const [text, hide] of presets) page.button(row, text, false, choose(hide)).removeAttribute("aria-pressed");
    }

    entry(row, at, show) {
      const series = this.chart.series[at];
      const button = page.button(row, "", !this.hidden.has(at), () => {
        this.hidden.has(at) ? this.hidden.delete(at) : this.hidden.add(at);
        show();
      });
      button.dataset.line = at;
      const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      swatch.setAttribute("aria-hidden", "true");
      for (const [name, value] of Object.entries({ x1: 0, x2: 30, y1: 5, y2: 5 })) line.setAttribute(name, value);
      line.style.stroke = `var(${series.hue === null ? "--grey" : `--hue-${series.hue}`})`;
      line.style.strokeDasharray = dash(series).join(" ");
      line.style.strokeWidth = `${width(series)}px`;
      swatch.append(line);
      button.append(swatch, this.name(at));
      return button;
    }

    // The columns that uPlot wants: x, then each band's low and high end, then the lines, so that no band hides a line.
    data() {
      const view = this.chart.views[this.view];
      const gap = view.xs.map(() => null);
      const column = (values) => values.length > 0 ? values : gap;
      let columns = [
        ...view.lines.flatMap((line) => [column(line.low), column(line.high)]),
        ...view.lines.map((line) => column(line.middle)),
      ];
      if (this.log) {
        // A logarithm ends above zero: bands that go below end at the least value shown.
        const least = columns.flat().reduce((low, value) => value > 0 && value < low ? value : low, Infinity);
        columns = columns.map((values) => values.map((value) => value !== null && value <= 0 ? least : value));
      }
      return [view.xs, ...columns];
    }

    redraw() {
      this.u?.destroy();
      this.tooltip.hide();
      this.u = new uPlot(this.options(), this.data(), this.plot);
    }

    size() {
      const width = Math.max(200, this.plot.clientWidth);
      return { width, height: Math.round(Math.min(360, Math.max(230, width * 0.5))) };
    }

    resize() {
      const { width, height } = this.size();
      if (width !== this.u.width || height !== this.u.height) this.u.setSize({ width, height });
    }

    options() {
      const { chart } = this;
      const many = chart.series.filter((series, at) => this.shown(at)).length > 3;
      const join = chart.join === "steps" ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear();
      const edges = chart.series.flatMap((series, at) => {
        const show = this.shown(at);
        const edge = { show, stroke: "transparent", width: 0, points: { show: false }, paths: uPlot.paths.linear(), spanGaps: chart.join === "dots" };
        return [edge, { ...edge }];
      });
      const lines = chart.series.map((series, at) => {
        return {
          show: this.shown(at),
          stroke: hue(series) + pale(this, series),
          width: width(series),
          dash: dash(series),
          paths: join,
          spanGaps: chart.join === "dots",
          points: { show: chart.join === "dots", size: 7, fill: hue(series), stroke: hue(series) },
        };
      });
      return {
        ...this.size(),
        legend: { show: false },
        padding: [12, 12, 0, 0],
        series: [{}, ...edges, ...lines],
        bands: chart.series.map((series, at) => ({
          series: [2 * at + 2, 2 * at + 1],
          // Many bands on each other must leave the lines visible.
          fill: `${hue(series)}${!series.koala && many ? "0f" : many ? "1f" : "33"}`,
        })),
        scales: { x: this.across(), y: this.up() },
        axes: [this.axis("x"), this.axis("y")],
        cursor: { points: { size: (u, at) => at > edges.length ? 8 : 0 } },
        hooks: { draw: [(u) => this.reference(u)], setCursor: [(u) => this.tell(u)] },
      };
    }

    across() {
      const range = (u, low, high) => low === high ? [low * 0.5, high * 2 || 1] : [low, high];
      return { time: false, distr: this.chart.log_x ? 3 : 1, range };
    }

    up() {
      const value = this.chart.reference?.[0] ?? null;
      const range = (u, low, high) => {
        if (low === null) return this.log ? [0.1, 1] : [0, 1];
        if (this.chart.join === "steps") return [0, 1.03];
        [low, high] = this.inside(low, high);
        if (value !== null) [low, high] = [Math.min(low, value), Math.max(high, value)];
        return this.log ? uPlot.rangeLog(low, high, 10, false) : uPlot.rangeNum(low, high, 0.1, true);
      };
      return { distr: this.log ? 3 : 1, range };
    }

    // The part of a range where lines ordinarily are: a few that leave it far behind, or a spike, must not press all others flat.
    inside(low, high) {
      this.cut.replaceChildren();
      const [to, from] = this.log ? [Math.log10, (value) => 10 ** value] : [(value) => value, (value) => value];
      const lines = this.chart.views[this.view].lines
        .map((line, at) => this.shown(at) ? (line.middle.length > 0 ? line.middle : line.high) : [])
        .map((values) => values.filter((value) => value !== null && (!this.log || value > 0)).map(to).sort((a, b) => a - b))
        .filter((values) => values.length > 0);
      // Most lines begin far from where they end, and are to be seen there; of one or two, only their own spikes stand out.
      const share = lines.length > 2 ? 0 : 0.05;
      const ends = lines.map((values) => [quantile(values, share), quantile(values, 1 - share)]);
      if (ends.length === 0) return [low, high];
      const [bottom, top] = [0, 1].map((end) => quantile(ends.map((pair) => pair[end]).sort((a, b) => a - b), 0.5));
      const far = 3 * (top - bottom);
      const [least, most] = [bottom - far, top + far];
      const cuts = [];
      if (far > 0 && to(high) > most + 0.5 * far) cuts.push(["above", from(most), "largest", high]);
      if (far > 0 && to(low) < least - 0.5 * far) cuts.push(["below", from(least), "least", low]);
      if (cuts.length === 0) return [low, high];
      const told = cuts.map(([side, end, name, value]) => `${side} ${page.number(Number(end.toPrecision(2)))} (the ${name} is ${page.number(value)})`);
      this.cut.append(this.whole ? "Outliers are shown. " : `Cut off: what lies ${told.join(" and ")}. `);
      page.button(this.cut, "whole range", this.whole, () => {
        this.whole = !this.whole;
        this.redraw();
      });
      if (this.whole) return [low, high];
      return [Math.max(low, from(least)), Math.min(high, from(most))];
    }

    axis(side) {
      const axis = {
        label: side === "x" ? this.chart.views[this.view].x : this.chart.y,
        labelSize: 22,
        labelFont: "13px system-ui, sans-serif",
        font: "12px system-ui, sans-serif",
        stroke: page.colour("--quiet"),
        grid: { stroke: page.colour("--line"), width: 1, filter: side === "y" && this.log ? powers : whole },
        ticks: { stroke: page.colour("--line"), width: 1 },
        values: (u, places) => places.map((place) => place === null ? "" : page.number(place)),
      };
      if (side === "y") return { ...axis, size: 58 };
      axis.size = 34;
      // Steps and trials are counted; there is no half of one.
      if (COUNTED.includes(this.chart.views[this.view].x)) return { ...axis, incrs: INCREMENTS };
      if (!this.chart.log_x) return axis;
      const splits = (u, at, low, high) => {
        const base = high / low < 40 ? 2 : 10;
        const least = Math.ceil(Math.log(low) / Math.log(base) - 1e-9);
        const places = [];
        for (let power = least; base ** power <= high * (1 + 1e-9); power++) places.push(base ** power);
        return places.length > 0 ? places : [low];
      };
      return { ...axis, splits, filter: (u, places) => places };
    }

    reference(u) {
      if (this.chart.reference === null) return;
      const [value, name] = this.chart.reference;
      if (value === null) return;
      const { ctx, bbox } = u;
      const y = Math.round(u.valToPos(value, "y", true));
      if (!(y >= bbox.top && y <= bbox.top + bbox.height)) return;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = page.colour("--text");
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
      ctx.textAlign = "right";
      ctx.setLineDash([]);
      ctx.strokeStyle = page.colour("--paper");
      ctx.lineWidth = 4 * devicePixelRatio;
      ctx.lineJoin = "round";
      ctx.strokeText(name, bbox.left + bbox.width - 4 * devicePixelRatio, y - 5 * devicePixelRatio);
      ctx.fillText(name, bbox.left + bbox.width - 4 * devicePixelRatio, y - 5 * devicePixelRatio);
      ctx.restore();
    }

    // Values under the cursor, in the order in which the lines lie there.
    tell(u) {
      const { idx, left, top } = u.cursor;
      if (idx === null || idx === undefined || left < 0) return this.tooltip.hide();
      const view = this.chart.views[this.view];
      const rows = view.lines
        .map((line, at) => ({
          series: this.chart.series[at],
          name: this.name(at),
          at,
          value: line.middle[idx] ?? null,
          low: line.low[idx] ?? null,
          high: line.high[idx] ?? null,
        }))
        .filter(({ at, value, high }) => this.shown(at) && (value !== null || high !== null))
        .sort((one, other) => (other.value ?? other.high) - (one.value ?? one.high));
      if (rows.length === 0) return this.tooltip.hide();
      const head = page.element("strong", "", null, `${view.x} ${page.number(view.xs[idx])}`);
      this.tooltip.show(left + u.over.offsetLeft, top + this.plot.offsetTop, [head, ...rows.map(row)]);
    }

    // Arrow keys walk along the horizontal axis.
    keys() {
      this.plot.addEventListener("keydown", (event) => {
        const xs = this.chart.views[this.view].xs;
        const now = this.u.cursor.idx ?? -1;
        const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: xs.length - 1 }[event.key];
        if (event.key === "Escape") this.u.setCursor({ left: -10, top: -10 });
        if (next === undefined || xs.length === 0) return;
        event.preventDefault();
        const at = Math.min(Math.max(next, 0), xs.length - 1);
        this.u.setCursor({ left: this.u.valToPos(xs[at], "x"), top: this.u.over.clientHeight / 2 });
      });
      this.plot.addEventListener("blur", () => this.tooltip.hide());
    }
  }

  // Of values that ascend.
  function quantile(values, share) {
    return values[Math.round(share * (values.length - 1))];
  }

  function row({ series, name, value, low, high }) {
    const row = page.element("div", "row");
    const key = page.element("span", "hue", row);
    key.style.background = `var(${series.hue === null ? "--grey" : `--hue-${series.hue}`})`;
    page.element("span", "", row, name);
    const band = low !== null && high !== null && low !== high ? `${page.number(low)} to ${page.number(high)}` : "";
    page.element("b", "", row, value === null ? band : page.number(value));
    if (value !== null && band) page.element("span", "band", row, band);
    return row;
  }

  page.whenNear(".chart", (place) => new Chart(place));
}
