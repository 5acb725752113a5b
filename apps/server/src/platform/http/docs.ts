// The /docs page of a service: its contract as plain HTML, no script, nothing fetched from anywhere.
import { type Contract, openapi, type Route } from "@mlsec/contracts";

const style = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1c2430;background:#fff}
summary{cursor:pointer;padding:.5rem 0}code{font:13px ui-monospace,monospace}b{display:inline-block;min-width:4.5rem}
pre{background:#f3f5f8;padding:.75rem;overflow:auto;font-size:12.5px}details{border-top:1px solid #d8dee6}small{color:#5a6675}
@media(prefers-color-scheme:dark){body{color:#dfe5ee;background:#12161c}pre{background:#1b212a}details{border-color:#2c3440}small{color:#97a3b4}}`;

export function docsPage(info: { title: string; version: string }, contract: Contract): Response {
  const routes = Object.entries(contract).map(([name, route]) => section(name, route));
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(info.title)}</title><style>${style}</style></head><body><h1>${escape(info.title)} <small>${escape(info.version)}</small></h1>
<p><a href="/openapi.json">OpenAPI document</a> · <a href="/ready">readiness</a> · <a href="/metrics">metrics</a></p>
${routes.join("\n")}</body></html>`;
  return new Response(html, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    },
  });
}

function section(name: string, route: Route): string {
  const document = openapi({ title: "", version: "" }, { [name]: route });
  const operation = (document["paths"] as Record<string, Record<string, unknown>>)[route.path]?.[
    route.method.toLowerCase()
  ];
  const schemas = (document["components"] as { schemas: object }).schemas;
  const text = JSON.stringify({ ...(operation as object), schemas }, null, 2);
  return `<details><summary><b>${route.method}</b> <code>${escape(route.path)}</code> ${escape(route.summary)} <small>${route.scope}</small></summary>
${route.description ? `<p>${escape(route.description)}</p>` : ""}<pre>${escape(text)}</pre></details>`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
