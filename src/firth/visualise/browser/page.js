"use strict";
// Draws the map with plotly, finds words, and shows the neighbours of the word that is clicked or found.
// Words are text and nothing else: on the page they are set as textContent, in the map plain() writes their markup out.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { words, groups, shares, method, themes } = data;
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const x = new Float32Array(bytes(data.x)), y = new Float32Array(bytes(data.y));
  const groupOf = new Uint16Array(bytes(data.group));
  const near = new Uint16Array(bytes(data.near)), cosines = new Int8Array(bytes(data.cosines));
  const each = words.length ? near.length / words.length : 0; // neighbours of a word
  const MOST_LABELS = 140, MOST_FOUND = 12, LONGEST = 40, ZOOM = 6;
  const element = (id) => document.getElementById(id);
  const map = element("map"), dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null, all = null; // the word looked at; the ranges of the whole map

  // ---- words as text ----

  const short = (word) => (word.length <= LONGEST ? word : [...word].slice(0, LONGEST - 1).join("") + "…");
  const MARKUP = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
  const plain = (word) => short(word).replace(/[\p{Cc}\p{Cs}]/gu, "\ufffd").replace(/[&<>]/g, (sign) => MARKUP[sign]);
  const theme = () => themes[dark.matches ? 1 : 0];
  const named = groups.filter((name) => name !== "");
  const colourOf = (group) =>
    groups[group] === "" ? theme().grey : theme().colours[named.indexOf(groups[group]) % theme().colours.length];
  const neighboursOf = (word) =>
    Array.from({ length: each }, (_, i) => [near[word * each + i], cosines[word * each + i] / 100]);

  // ---- the map ----

  const webgl = (() => {
    try {
      return !!document.createElement("canvas").getContext("webgl");
    } catch {
      return false;
    }
  })();
  const members = groups.map(() => []);
  groupOf.forEach((group, word) => members[group].push(word));
  const size = Math.max(3, Math.min(9, 220 / Math.sqrt(words.length)));
  const opacity = Math.max(0.4, Math.min(0.85, 40 / Math.sqrt(words.length))); // where marks lie thick, it shows

  function marks() {
    return groups.map((name, group) => ({
      type: webgl ? "scattergl" : "scatter",
      mode: "markers",
      name: plain(name) || "other",
      x: members[group].map((word) => x[word]),
      y: members[group].map((word) => y[word]),
      customdata: members[group],
      text: members[group].map((word) => plain(words[word])),
      hovertemplate: "%{text}<extra></extra>",
      marker: { color: colourOf(group), size, line: { width: 0 }, opacity: chosen === null ? opacity : 0.25 },
      showlegend: groups.length > 1,
      legendrank: name === "" ? 2000 : 1000, // the others come last
    }));
  }

  // Lines to the neighbours, rings around all of them, and words that have room: drawn over the marks.
  function overlays() {
    const { ink, paper, accent } = theme();
    const line = { x: [], y: [] }, rings = { x: [], y: [] };
    if (chosen !== null) {
      for (const [word] of neighboursOf(chosen)) {
        line.x.push(x[chosen], x[word], null);
        line.y.push(y[chosen], y[word], null);
        rings.x.push(x[word]);
        rings.y.push(y[word]);
      }
    }
    const self = chosen === null ? [[], []] : [[x[chosen]], [y[chosen]]];
    const still = { hoverinfo: "skip", showlegend: false, type: "scatter" };
    return [
      { ...still, ...line, mode: "lines", line: { color: accent, width: 1.2 } },
      { ...still, ...rings, mode: "markers", marker: { size: size + 3, color: accent, line: { width: 1, color: paper } } },
      { ...still, x: self[0], y: self[1], mode: "markers",
        marker: { size: size + 8, color: accent, line: { width: 2, color: ink } } },
    ];
  }

  const axis = (range) => ({ visible: false, range: [...range], autorange: false });

  function layout(ranges) {
    const { paper, ink, grey, pale } = theme();
    return {
      margin: { l: 10, r: 10, t: 6, b: 10 },
      paper_bgcolor: paper,
      plot_bgcolor: paper,
      font: { color: ink, family: "system-ui, sans-serif" },
      xaxis: axis(ranges.x),
      yaxis: axis(ranges.y),
      dragmode: "pan",
      hovermode: "closest",
      hoverlabel: { bgcolor: paper, bordercolor: pale, font: { color: ink, size: 15 } },
      legend: { itemsizing: "constant", font: { color: grey }, bgcolor: "rgba(0,0,0,0)", orientation: "h", y: 0 },
      annotations: labels(ranges),
      uirevision: "kept", // groups that the reader switched off stay off
    };
  }

  const pencil = document.createElement("canvas").getContext("2d");

  // Words from the first on, beside their marks, wherever none that was written before is in the way: the chosen one
  // and its neighbours first.
  function labels(ranges) {
    const { ink, paper } = theme();
    const width = map.clientWidth - 20, height = map.clientHeight - 16;
    const first = chosen === null ? [] : [chosen, ...neighboursOf(chosen).map(([word]) => word)];
    const urgent = new Set(first), hidden = switchedOff();
    const taken = [], written = [];
    const write = (word) => {
      if (hidden.has(groupOf[word])) return;
      const left = ((x[word] - ranges.x[0]) / (ranges.x[1] - ranges.x[0])) * width;
      const top = ((ranges.y[1] - y[word]) / (ranges.y[1] - ranges.y[0])) * height;
      if (!(left >= 0 && left <= width && top >= 0 && top <= height)) return;
      const bold = word === chosen, away = size / 2 + (urgent.has(word) ? 4 : 1);
      pencil.font = `${bold ? "bold 16px" : "13px"} system-ui, sans-serif`;
      const wide = pencil.measureText(short(words[word])).width + 4, high = bold ? 22 : 17;
      for (const [across, down] of [[0, -1], [1, 0], [-1, 0], [0, 1]]) {
        const middle = [left + across * (away + wide / 2), top + down * (away + high / 2)];
        const box = [middle[0] - wide / 2, middle[1] - high / 2, middle[0] + wide / 2, middle[1] + high / 2];
        const inside = box[0] >= 0 && box[1] >= 0 && box[2] <= width && box[3] <= height;
        const free = inside && taken.every(([l, t, r, b]) => box[0] > r || box[2] < l || box[1] > b || box[3] < t);
        if (!free && !bold) continue;
        taken.push(box);
        written.push({
          x: x[word], y: y[word], text: bold ? `<b>${plain(words[word])}</b>` : plain(words[word]),
          showarrow: false, xanchor: "center", yanchor: "middle",
          xshift: across * (away + wide / 2), yshift: -down * (away + high / 2), borderpad: 0,
          font: { size: bold ? 16 : 13, color: ink },
          bgcolor: paper + (urgent.has(word) ? "ff" : "80"),
          opacity: chosen === null || urgent.has(word) ? 1 : 0.35,
        });
        return;
      }
    };
    first.forEach(write);
    for (let word = 0; word < words.length && written.length < MOST_LABELS; word++) if (!urgent.has(word)) write(word);
    return written;
  }

  const switchedOff = () =>
    new Set((map.data || []).slice(0, groups.length).flatMap((each, i) => (each.visible === "legendonly" ? [i] : [])));

  // From the least to the greatest, and a margin around: of all words, or of some.
  function rangesOf(some) {
    const around = (values) => {
      let low = Infinity, high = -Infinity;
      for (const value of some ? some.map((word) => values[word]) : values) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
      const margin = (high - low) * 0.08 || 1;
      return [low - margin, high + margin];
    };
    return { x: around(x), y: around(y) };
  }

  // The word in the middle, and its neighbours with it, but no nearer than ZOOM times.
  function rangesAround(word) {
    const fit = rangesOf([word, ...neighboursOf(word).map(([other]) => other)]);
    const centred = (value, [low, high], whole) => {
      const reach = Math.max(high - value, value - low, (whole[1] - whole[0]) / ZOOM / 2);
      return [value - reach, value + reach];
    };
    return { x: centred(x[word], fit.x, all.x), y: centred(y[word], fit.y, all.y) };
  }

  const currentRanges = () =>
    map.layout ? { x: [...map.layout.xaxis.range], y: [...map.layout.yaxis.range] } : { x: [...all.x], y: [...all.y] };

  function draw(ranges = currentRanges()) {
    const traces = [...marks(), ...overlays()];
    const hidden = switchedOff();
    traces.forEach((trace, i) => hidden.has(i) && (trace.visible = "legendonly"));
    return Plotly.react(map, traces, layout(ranges), {
      scrollZoom: true, responsive: true, displaylogo: false, doubleClick: false, showEditInChartStudio: false,
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "resetScale2d", "sendChartToCloud"],
    });
  }

  let waiting = 0;
  const relabel = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => Plotly.relayout(map, { annotations: labels(currentRanges()) }));
  };

  // ---- beside the map ----

  function item(word, share) {
    const line = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.dataset.word = word;
    const name = document.createElement("bdi");
    name.textContent = words[word];
    button.append(name);
    if (share !== undefined) {
      const number = document.createElement("span");
      number.textContent = share.toFixed(2).replace("-", "−");
      button.style.setProperty("--share", `${Math.max(0, share * 100)}%`);
      button.append(number);
    }
    button.addEventListener("click", () => choose(word, true));
    line.append(button);
    return line;
  }

  function choose(word, goThere) {
    chosen = word;
    element("chosen").hidden = word === null;
    if (word !== null) {
      element("word").textContent = words[word];
      const group = groups[groupOf[word]];
      const count = data.counts && data.counts[word];
      element("facts").textContent = [
        groups.length > 1 && group ? `in the group ${group}` : "",
        count ? `occurs ${count.toLocaleString("en")} times` : "",
      ].filter(Boolean).join("; ");
      element("neighbours").replaceChildren(...neighboursOf(word).map(([other, share]) => item(other, share)));
    }
    return draw(goThere ? rangesAround(word) : currentRanges());
  }

  // Those that begin with what is typed come first, then those that hold it; frequent ones before rare ones.
  const folded = words.map((word) => word.toLowerCase());
  function matching(typed) {
    const wanted = typed.toLowerCase(), exact = [], begins = [], holds = [];
    for (let word = 0; word < words.length; word++) {
      const place = folded[word].indexOf(wanted);
      if (place < 0) continue;
      if (words[word] === typed) exact.push(word);
      else if (place === 0) begins.push(word);
      else if (holds.length < MOST_FOUND) holds.push(word);
    }
    return [...exact, ...begins, ...holds].slice(0, MOST_FOUND);
  }

  const search = element("search");
  search.addEventListener("input", () => {
    const typed = search.value.trim();
    const found = typed ? matching(typed) : [];
    element("found").replaceChildren(...found.map((word) => item(word)));
    if (found.length) element("found").querySelector("button").classList.add("first");
    if (typed && !found.length) {
      const none = document.createElement("li");
      none.className = "none";
      none.textContent = "no such word on this map";
      element("found").append(none);
    }
  });
  search.addEventListener("keydown", (event) => {
    const first = element("found").querySelector("button");
    if (event.key === "Enter" && first) first.click();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && choose(null, false));
  element("clear").addEventListener("click", () => choose(null, false));

  // ---- begin ----

  const NAMES = { pca: "principal components", tsne: "t-SNE", umap: "UMAP" };
  const percent = (share) => `${Math.round(100 * share)} %`;
  element("about").textContent =
    `${words.length.toLocaleString("en")} words by ${NAMES[method]}` +
    (shares ? `, which show ${percent(shares[0] + shares[1])} of the variance` : ": near words are alike, far distances tell little") +
    (webgl || words.length < 5000 ? "" : ". This browser has no WebGL, so the map will be slow");
  // An address that ends in #king opens at that word.
  function openAtWord() {
    let word = -1;
    try {
      word = words.indexOf(decodeURIComponent(location.hash.slice(1)));
    } catch { /* no such encoding, no such word */ }
    if (word >= 0) choose(word, true);
  }

  all = rangesOf();
  draw({ x: [...all.x], y: [...all.y] }).then(() => {
    map.on("plotly_click", (event) => {
      const point = event.points.find((each) => each.customdata !== undefined);
      if (point) choose(point.customdata, false);
    });
    map.on("plotly_doubleclick", () => draw({ x: [...all.x], y: [...all.y] }));
    map.on("plotly_relayout", (change) => {
      if (Object.keys(change).some((key) => key.startsWith("xaxis") || key === "autosize")) relabel();
    });
    map.on("plotly_restyle", relabel);
    dark.addEventListener("change", () => draw());
    window.addEventListener("hashchange", openAtWord);
    openAtWord();
    document.documentElement.dataset.ready = "yes";
  });
})();
