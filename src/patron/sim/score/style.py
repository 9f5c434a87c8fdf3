"""The look of the scorecard's page: the console's colours, both themes in one place."""

STYLE = """
:root{color-scheme:light dark;
--canvas:light-dark(#F7F5F1,#131211);--surface:light-dark(#FFF,#1D1C1A);--sunk:light-dark(#EFECE6,#2A2825);
--line:light-dark(#E2DED6,#34312D);--strong:light-dark(#8B867C,#7D786E);--ink:light-dark(#1C1B19,#EFECE6);
--ink2:light-dark(#5A564F,#ABA69C);--accent:light-dark(#0B5E57,#6FCFC2);--tint:light-dark(#E3F0EE,#173330);
--bad:light-dark(#A8281E,#FF8F83);--badtint:light-dark(#FBE7E5,#3D1E1B);--wish:light-dark(#C9B35A,#8C7A36);
--day:light-dark(#B9D6D2,#2C5A55)}
*{box-sizing:border-box}h1,h2,p,ul,figure{margin:0;padding:0}ul{list-style:none}
body{margin:0;background:var(--canvas);color:var(--ink);-webkit-font-smoothing:antialiased;font:400 14px/20px Inter,system-ui,
-apple-system,"Segoe UI",Roboto,"Noto Sans","Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1120px;margin:0 auto;padding:40px 24px 48px;display:grid;gap:16px}main>*{min-width:0}
header{max-width:76ch;margin-bottom:8px}h1{font-size:28px;line-height:36px;font-weight:650;letter-spacing:-.018em;
text-wrap:balance}header p{color:var(--ink2);margin-top:6px;text-wrap:pretty}header b{color:var(--ink)}
h2{font-size:16px;line-height:24px;font-weight:600;letter-spacing:-.006em}
.panel{background:var(--surface);border:1px solid var(--line);border-radius:8px;padding:16px 20px;min-width:0}
.panel>p{color:var(--ink2);font-size:13px;margin-bottom:12px}
.figures{display:grid;grid-template-columns:repeat(5,minmax(0,1fr));background:var(--surface);border:1px solid var(--line);
border-radius:8px;overflow:hidden}.figure{padding:14px 16px;border-right:1px solid var(--line);display:flex;
flex-direction:column}.figure:last-child{border-right:0}.figure>span{font-size:13px;line-height:18px;color:var(--ink2);flex:1}
.figure>b{font-size:28px;line-height:40px;font-weight:600;letter-spacing:-.02em}.figure p{display:flex;gap:4px 8px;
align-items:center;flex-wrap:wrap}.figure small{color:var(--ink2);white-space:nowrap}small{font-size:12px;line-height:16px}
.charts{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:16px}.wide{grid-column:1/-1}
.lines{display:grid;gap:8px}.lines li{display:grid;grid-template-columns:136px minmax(0,1fr) 58px;gap:12px;align-items:center}
.lines b{text-align:right;font-weight:600}.lines span{font-size:13px;line-height:16px}
svg{display:block;width:100%}svg.share{height:14px}svg.days{height:112px}
.track{fill:var(--sunk)}.good{fill:var(--accent)}.plain{fill:var(--strong)}.bad{fill:var(--bad)}.wish{fill:var(--wish)}
.day{fill:var(--day)}.off{fill:var(--bad)}.tick,.step,.base{fill:none;vector-effect:non-scaling-stroke}
.tick{stroke:var(--ink);stroke-width:2}.step{stroke:var(--accent);stroke-width:1.5;stroke-linejoin:round}
.base{stroke:var(--strong);stroke-width:1}
.key{display:inline-block;white-space:nowrap;margin-right:14px}.key::before{content:"";display:inline-block;width:10px;height:10px;
border-radius:2px;margin-right:6px}.key.good::before{background:var(--accent)}.key.wish::before{background:var(--wish)}
.key.bad::before{background:var(--bad)}.key.day::before{background:var(--day)}.key.step::before{height:0;width:14px;
border-top:2px solid var(--accent);border-radius:0;vertical-align:middle}
figure+figure{margin-top:20px}figcaption{display:flex;justify-content:space-between;gap:2px 16px;flex-wrap:wrap;
margin-bottom:6px}figcaption b{font-weight:600}figcaption span,.ends{color:var(--ink2);font-size:13px}
.ends{display:flex;justify-content:space-between;gap:12px;margin-top:4px}.gaps{font-size:13px}.gaps li{padding:3px 0}
.flush{padding:0;overflow:hidden}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:10px 12px;border-top:1px solid var(--line)}
th:first-child,td:first-child{padding-left:20px}th:last-child,td:last-child{padding-right:20px}
thead th{font-size:12px;line-height:16px;font-weight:500;color:var(--ink2);border-top:0}
.group th{background:var(--sunk);font-size:12px;line-height:16px;font-weight:600;color:var(--ink2);padding-top:7px;
padding-bottom:7px}td b{font-weight:600}td small{color:var(--ink2);margin-left:8px}td p{color:var(--ink2);font-size:13px;
line-height:18px;max-width:84ch;text-wrap:pretty}.r{text-align:right}td.r,td:last-child{white-space:nowrap}td.v{font-weight:600}
td.bar{color:var(--ink2)}code{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.pill{font-style:normal;display:inline-block;font-size:12px;line-height:18px;font-weight:600;padding:1px 8px;
border-radius:10px;white-space:nowrap}.pill.ok{background:var(--tint);color:var(--accent)}
.pill.bad{background:var(--badtint);color:var(--bad)}.pill.none{background:var(--sunk);color:var(--ink2)}
.pill.open{color:var(--ink2);box-shadow:inset 0 0 0 1px var(--strong)}
footer{color:var(--ink2);font-size:13px;text-wrap:pretty}
@media(max-width:900px){.figures{grid-template-columns:repeat(2,minmax(0,1fr))}.figure{border-top:1px solid var(--line);
margin-top:-1px}.figure:nth-child(2n){border-right:0}.figure:last-child{grid-column:1/-1}.charts{grid-template-columns:
minmax(0,1fr)}}
@media(max-width:560px){main{padding:24px 16px 32px}h1{font-size:22px;line-height:28px}.panel{padding:14px 16px}
.flush{padding:0}.lines li{grid-template-columns:112px minmax(0,1fr) 52px;gap:10px}thead{display:none}
table,tbody{display:block}tr{display:grid;grid-template-columns:auto auto minmax(0,1fr);align-items:baseline;
border-top:1px solid var(--line);padding:10px 16px;gap:4px 10px}td,th,td:first-child,th:first-child,td:last-child{padding:0;
border:0}td:first-child{grid-column:1/-1}td small{display:block;margin-left:0}td.r{text-align:left}td.bar:empty{display:none}td.bar::before{content:"to reach "}
td:last-child{grid-column:3;text-align:right}.group{background:var(--sunk);padding:7px 16px}
.group th{padding:0!important;grid-column:1/-1}tbody:first-of-type .group{border-top:0}.ends span:nth-child(2){display:none}}
@media print{body{background:#fff}.panel,.figures{break-inside:avoid}}
"""
