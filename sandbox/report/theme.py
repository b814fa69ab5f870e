"""How the page looks and what its one script does; light and dark follow the reader's system."""

CSS = """
:root { color-scheme: light dark;
  --paper:#f6f7f9; --card:#ffffff; --ink:#1c2330; --soft:#5b6473; --line:#e2e5eb; --code:#f1f3f6;
  --supported:#15803d; --refuted:#b91c1c; --undetermined:#a16207; --invalid:#6d28d9;
  --accent:#2563eb; --cold:#fdf6e3; --heat:#b3123f; }
@media (prefers-color-scheme: dark) { :root {
  --paper:#12151b; --card:#1a1f28; --ink:#e6e9ef; --soft:#9aa4b5; --line:#2c3340; --code:#232a35;
  --supported:#4ade80; --refuted:#f87171; --undetermined:#fbbf24; --invalid:#c4b5fd;
  --accent:#7aa7ff; --cold:#232038; --heat:#ffc53d; } }
* { box-sizing:border-box }
body { margin:0; background:var(--paper); color:var(--ink);
  font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif }
main { max-width:1120px; margin:0 auto; padding:28px 20px 60px }
h1 { font-size:1.75rem; line-height:1.25; margin:.2rem 0 .8rem; text-wrap:balance }
h2 { font-size:1.15rem; margin:0 0 .5rem } h3 { font-size:1rem; margin:1.1rem 0 .3rem }
p { margin:.35rem 0; max-width:78ch } .soft { color:var(--soft) }
.small { font-size:.86rem; max-width:none }
.banner { background:var(--invalid); color:var(--card); border-radius:12px; padding:12px 20px;
  margin:16px 0; font-weight:600 }
section { background:var(--card); border:1px solid var(--line); border-radius:12px;
  padding:18px 20px; margin:16px 0; overflow-x:auto }
.kicker { color:var(--soft); font-size:.85rem; letter-spacing:.02em }
.facts { display:flex; flex-wrap:wrap; gap:8px; margin:.6rem 0 0; padding:0; list-style:none }
.facts li { background:var(--card); border:1px solid var(--line); border-radius:99px;
  padding:2px 12px; font-size:.88rem }
.facts .bad { color:var(--refuted); border-color:currentColor; font-weight:600 }
.verdict { border-left:6px solid var(--tone) }
.badge { display:inline-block; color:var(--tone); border:1.5px solid var(--tone);
  border-radius:99px;
  padding:1px 12px; font-weight:700; font-size:1.02rem; margin-right:.5rem }
.supported { --tone:var(--supported) } .refuted { --tone:var(--refuted) }
.undetermined, .suggestive, .pending { --tone:var(--undetermined) }
.invalid { --tone:var(--invalid) }
.claim { font-size:1.08rem; margin:.5rem 0 }
table { border-collapse:collapse; width:100%; font-size:.9rem; font-variant-numeric:tabular-nums }
th { text-align:left; color:var(--soft); font-weight:600; border-bottom:1px solid var(--line) }
th,td { padding:5px 10px 5px 0; vertical-align:top } tr+tr td { border-top:1px solid var(--line) }
.scroll { overflow-x:auto }
td.number,th.number { text-align:right; white-space:nowrap } td.wrap { overflow-wrap:break-word }
.failed { color:var(--refuted); font-weight:600 }
.unfinished { color:var(--undetermined); font-weight:600 }
svg.interval { width:150px; height:16px; display:block }
.pair { display:grid; grid-template-columns:
  repeat(auto-fit,minmax(min(420px,100%),1fr)); gap:0 18px }
.figure { width:100%; min-height:300px }
figure { margin:0 } .films { display:grid; gap:16px; align-items:start; margin-top:12px;
  grid-template-columns:repeat(var(--columns),minmax(0,1fr)) }
@media (max-width:820px) { .films { grid-template-columns:repeat(2,minmax(0,1fr)) } }
figcaption { font-size:.84rem; color:var(--soft); margin-top:4px; overflow-wrap:anywhere }
.films img { border:1px solid var(--line); border-radius:6px; width:100%;
  max-width:460px; height:auto; display:block }
.legend { display:flex; flex-wrap:wrap; gap:4px 16px; list-style:none; margin:4px 0 0; padding:0;
  font-size:.86rem; color:var(--soft) }
.legend img { border-radius:3px; vertical-align:-8px } .legend b { color:var(--ink) }
pre { background:var(--code); padding:12px; border-radius:8px; overflow:auto; font-size:.8rem;
  max-height:420px } code { background:var(--code); padding:1px 5px; border-radius:4px }
details { margin:.5rem 0 } summary { cursor:pointer; color:var(--accent) }
.wide svg { display:block; width:100%; min-width:820px; height:auto }
.history { border-top:1px solid var(--line); padding:8px 0 } .film .keys { margin:.3rem 0 }
.keys button { min-width:5.5em; font:inherit; font-size:.86rem } .keys input { vertical-align:-4px;
  width:min(420px,60%) }
.maps { display:grid; gap:18px; align-items:start; margin:6px 0 14px;
  grid-template-columns:repeat(auto-fill,minmax(min(260px,100%),1fr)) }
.maps svg { width:100%; max-width:420px; height:auto; display:block }
.map rect { fill:color-mix(in oklab,var(--heat) var(--v),var(--cold)); stroke:none }
.map rect.none { fill:var(--line) } .map rect.rim { fill:none; stroke:var(--ink); stroke-width:2 }
.map .halo path { stroke:var(--card); stroke-width:6 }
.map .wall path { stroke:var(--ink); stroke-width:3; stroke-linecap:square }
.map text { font:11px system-ui,sans-serif; fill:var(--soft) }
.scale { display:flex; gap:10px; align-items:flex-start } .scale svg { width:300px }
ul.plain { margin:.3rem 0; padding-left:1.1rem } ul.plain li { margin:.2rem 0; max-width:90ch }
"""

SCRIPT = """
const dark = matchMedia('(prefers-color-scheme: dark)');
function dress(layout) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue('--ink').trim();
  const line = style.getPropertyValue('--line').trim();
  const axis = {gridcolor: line, zerolinecolor: line, linecolor: line};
  const axes = Object.entries({xaxis: {}, yaxis: {}, ...layout})
    .filter(([name]) => /^[xy]axis/.test(name))
    .map(([name, own]) => [name, {...axis, automargin: name.length === 5, ...own}]);
  return {...layout, font: {color: ink, family: 'system-ui, sans-serif', size: 13},
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', hovermode: 'closest',
    legend: {orientation: 'h', x: 0, yref: 'container', y: 1, yanchor: 'top',
      itemwidth: 40, tracegroupgap: 0, maxheight: 9999, ...layout.legend},
    ...Object.fromEntries(axes)};
}
function rows(data, width) {
  const names = data.filter(each => each.name && each.showlegend !== false);
  const widest = Math.max(0, ...names.map(each => each.name.length));
  return Math.ceil(names.length / Math.max(1, Math.floor((width - 80) / (70 + 9 * widest))));
}
function draw() {
  for (const holder of document.querySelectorAll('.figure')) {
    const {data, layout} = JSON.parse(holder.nextElementSibling.textContent);
    const width = holder.clientWidth;
    const sized = more => ({...layout, width, height: layout.height + more,
      margin: {l: 56, r: 16, t: 44 + more, b: 48}});
    const paint = more => Plotly.react(holder, data, dress(sized(more)), {displayModeBar: false});
    // Plotly refuses a legend that leaves no plot: draw too high, then at the right height.
    if (layout.showlegend === false) { paint(0); continue; }
    paint(30 * rows(data, width));
    const legend = holder.querySelector('.legend');
    paint(legend ? Math.max(0, Math.ceil(legend.getBoundingClientRect().height) - 20) : 0);
  }
}
draw();
dark.addEventListener('change', draw);
let waiting = 0;
addEventListener('resize', () => {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(draw);
});
for (const film of document.querySelectorAll('.film')) {
  const [button, slider] = [film.querySelector('button'), film.querySelector('input')];
  const moves = () => film.querySelector('svg').getAnimations({subtree: true});
  let playing = !matchMedia('(prefers-reduced-motion: reduce)').matches;
  const label = () => { button.textContent = playing ? 'Pause' : 'Play'; };
  const part = () => moves()[0].effect.getComputedTiming().duration / slider.max;
  slider.value = playing ? 1 : slider.max;
  label();
  button.addEventListener('click', () => {
    playing = !playing;
    for (const each of moves()) { if (playing) each.play(); else each.pause(); }
    label();
  });
  slider.addEventListener('input', () => {
    playing = false;
    for (const each of moves()) {
      each.pause();
      each.currentTime = each.effect.getTiming().delay + (slider.value - 0.2) * part();
    }
    label();
  });
  setInterval(() => {
    const first = moves()[0];
    if (playing && first) slider.value = 1 + Math.floor(
      first.effect.getComputedTiming().progress * slider.max);
  }, 250);
}
"""
