"""The style sheet of every page: ink on paper, one accent, three colours for verdicts."""

STYLE = """
:root {
  --paper: #fcfbf8; --panel: #f4f2ec; --ink: #22262a; --soft: #656a6e; --faint: #9a9d9b; --rule: #dedad0;
  --accent: #285e6b; --pass: #2f7a4d; --fail: #b23a2e; --open: #a8740c;
  --c0: #285e6b; --c1: #c0703a; --c2: #6b5b95; --c3: #5f7f3a; --c4: #a23e63; --c5: #7a7a7a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15181a; --panel: #1d2124; --ink: #e4e2dc; --soft: #a3a7a8; --faint: #71777a; --rule: #32383c;
    --accent: #7fb9c6; --pass: #74c08f; --fail: #e58478; --open: #dcae58;
    --c0: #7fb9c6; --c1: #e0a073; --c2: #b0a2d8; --c3: #a4c27b; --c4: #de8fae; --c5: #a8a8a8;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.55 Charter, "Bitstream Charter", "Iowan Old Style", "Source Serif 4", Georgia, "DejaVu Serif", serif; }
main { max-width: 1160px; margin: 0 auto; padding: 56px 32px 96px; }
h1 { font-size: 40px; line-height: 1.1; font-weight: 500; letter-spacing: -0.015em; margin: 0 0 10px; }
h2 { font-size: 22px; font-weight: 500; margin: 0 0 2px; letter-spacing: -0.005em; }
h3 { font-size: 15px; font-weight: 600; margin: 26px 0 4px; }
h3 .small { font-weight: 400; }
time, .whole { white-space: nowrap; }
section { margin-top: 54px; padding-top: 14px; border-top: 1px solid var(--ink); }
p { margin: 0 0 10px; max-width: 74ch; }
.lead { font-size: 19px; line-height: 1.45; color: var(--ink); max-width: 60ch; }
.note, .eyebrow, dt, th, .badge, svg, code, .small, .facts, label
  { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif; }
.note { color: var(--soft); font-size: 13px; margin-bottom: 14px; max-width: 100ch; }
.eyebrow { font-size: 11.5px; letter-spacing: 0.09em; text-transform: uppercase; color: var(--soft);
  margin-bottom: 14px; }
.small { font-size: 12px; color: var(--soft); }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  font-size: 0.86em; }
dl.facts { display: flex; flex-wrap: wrap; gap: 14px 40px; margin: 24px 0 0; }
dl.facts div { min-width: 84px; }
dt { font-size: 11.5px; color: var(--soft); }
dd { margin: 0; font-size: 15px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums lining-nums; font-size: 14px; }
th { text-align: left; font-size: 11.5px; font-weight: 500; color: var(--soft); padding: 6px 16px 6px 0;
  border-bottom: 1px solid var(--rule); vertical-align: bottom; white-space: nowrap; }
td { padding: 7px 16px 7px 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
tr > :last-child { padding-right: 0; }
td.n, th.n { text-align: right; white-space: nowrap; }
td.text { white-space: pre-wrap; overflow-wrap: anywhere; }
tbody tr:hover { background: var(--panel); }
.badge { display: inline-block; font-size: 11px; line-height: 1.5; padding: 0 7px; border-radius: 9px;
  border: 1px solid var(--faint); color: var(--soft); white-space: nowrap; }
.badge.pass, .badge.approved, .badge.done, .badge.ran { color: var(--pass); border-color: var(--pass); }
.badge.fail, .badge.failed, .badge.recalled, .badge.rejected { color: var(--fail); border-color: var(--fail); }
.badge.inconclusive, .badge.open, .badge.interrupted, .badge.waiting, .badge.running {
  color: var(--open); border-color: var(--open);
}
.badge.retired { border-style: dashed; }
ol.stages { list-style: none; margin: 40px 0 0; padding: 0; display: grid; grid-template-columns: repeat(9, 1fr);
  border-top: 2px solid var(--ink); }
ol.stages li { padding: 12px 10px 0 0; position: relative; min-width: 0; }
ol.stages li::before { content: ""; position: absolute; top: -6px; left: 0; width: 10px; height: 10px;
  border-radius: 50%; background: var(--ink); }
ol.stages li.quiet::before { background: var(--paper); border: 2px solid var(--faint); }
ol.stages .name { font-weight: 600; font-size: 13.5px; }
ol.stages .figure { font-size: 23px; line-height: 1.2; margin: 4px 0 2px; white-space: nowrap; }
ol.stages .quiet, ol.stages li.quiet .figure { color: var(--faint); }
ol.stages .small { line-height: 1.4; overflow-wrap: anywhere; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); gap: 26px 30px; }
figure { margin: 0; }
figcaption { font-size: 14px; margin-bottom: 2px; }
svg { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 11px; }
svg .name { fill: var(--ink); }
svg .node text { font-size: 12.5px; }
svg .axis { stroke: var(--rule); stroke-width: 1; }
svg .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
svg .edge { fill: none; stroke: var(--faint); stroke-width: 1; opacity: 0.55; }
svg .node rect { fill: var(--paper); stroke: var(--rule); }
svg .node:hover rect { stroke: var(--ink); }
svg .track { fill: var(--panel); } svg .good { fill: var(--pass); opacity: 0.16; }
svg .now { fill: var(--accent); opacity: 0.75; } svg .was { fill: none; stroke: var(--ink); stroke-width: 1; }
svg .bound { stroke: var(--ink); stroke-width: 1.2; }
.bar { display: inline-block; vertical-align: middle; }
.wrong-only { accent-color: var(--accent); margin: 0 6px 0 0; }
.wrong-only:checked ~ .scroll tr.right { display: none; }
label { font-size: 13px; }
.wide { grid-template-columns: repeat(auto-fill, minmax(500px, 1fr)); gap: 0 48px; }
.chain { display: grid; grid-template-columns: 100px 262px 1fr; gap: 1px 12px; align-items: center;
  font-size: 13.5px; margin-bottom: 6px; }
@media (max-width: 820px) { main { padding: 28px 16px; }
  ol.stages { grid-template-columns: repeat(3, 1fr); row-gap: 22px; } }
@media print { main { max-width: none; padding: 0; } section { break-inside: avoid-page; } }
"""
