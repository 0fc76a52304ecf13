/** How the service fares: health, load, who may call it, the latest requests, the log. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { get } from "../api.js";
import { ago, bytes, count, duration, moment, number } from "../format.js";
import { useEvery } from "../hooks.js";
import { Sparkline } from "../parts/charts.js";
import { Keys } from "../parts/keys.js";
import { Nothing, Trouble } from "../parts/notice.js";
import { ServerLog } from "../parts/server_log.js";

const MINUTES = 20;
const POINTS_A_MINUTE = 6;
const LATEST = 500;
const SHOWN = 50;
/** The route of this page's own files: each time it is opened they are more requests than all others. */
const FILES = "/ui";

/** The differences of a series that only grows. */
const growth = (points) => points.slice(1).map((point, at) => Math.max(0, point.value - points[at].value));

/** The value that a share of the numbers does not exceed. */
function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}

/** The latest requests by method and route: how many, how long. */
function byRoute(requests) {
  const routes = new Map();
  for (const each of requests) {
    const route = `${each.method} ${each.route}`;
    const entry = routes.get(route) ?? { route, times: [], errors: 0 };
    entry.times.push(each.duration_ms);
    entry.errors += each.status >= 400;
    routes.set(route, entry);
  }
  return [...routes.values()]
    .map(({ route, times, errors }) => {
      const sorted = times.sort((one, other) => one - other);
      return { route, count: sorted.length, p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), most: sorted.at(-1), errors };
    })
    .sort((one, other) => other.count - one.count || (one.route < other.route ? -1 : 1));
}

export function Operations() {
  const found = useEvery(async (signal) => {
    const [health, metrics, stats] = await Promise.all([
      get("/health", {}, signal),
      get("/metrics", {}, signal),
      get("/stats", { minutes: MINUTES }, signal),
    ]);
    return { health, metrics, series: stats.time_series };
  }, []);
  return html`<h1>Operations</h1>
    <${Trouble} error=${found.error} again=${found.again} />
    ${found.value && html`<${Health} ...${found.value} />`} ${found.value && html`<${Load} ...${found.value} />`}
    <${Keys} />
    <${Requests} />
    <${ServerLog} />`;
}

function Health({ health }) {
  return html`<dl class="facts">
      <div><dt>Service</dt><dd class=${health.status}>${health.status}</dd></div>
      <div><dt>Up</dt><dd>${duration(health.uptime_seconds)}</dd></div>
      <div><dt>Version</dt><dd>${health.version}</dd></div>
      <div><dt>Live sessions</dt><dd>${count(health.active_sessions)}</dd></div>
      <div><dt>API keys</dt><dd>${health.features.api_keys ? "asked for" : "not asked for"}</dd></div>
    </dl>
    ${health.issues.map((issue) => html`<p class="trouble">${issue}</p>`)}
    <h2>What it depends on</h2>
    <table>
      <thead>
        <tr><th scope="col">Dependency</th><th scope="col">State</th><th scope="col" class="number">Answers in</th></tr>
      </thead>
      <tbody>
        ${Object.entries(health.dependencies).map(
          ([name, each]) => html`<tr key=${name}>
            <th scope="row">${name}</th>
            <td>${each.status}</td>
            <td class="number">${number(each.response_time_ms)} ms</td>
          </tr>`,
        )}
      </tbody>
    </table>`;
}

function Load({ metrics, series }) {
  const values = (name) => (series[name] ?? []).map((point) => point.value);
  const rows = [
    ["Requests a second", number(metrics.rates.requests_per_second), growth(series.kato_requests_total ?? [])],
    ["Mean response time", `${number(metrics.performance.average_response_time_ms)} ms`, values("kato_request_duration_seconds")],
    ["Errors a minute", count(metrics.rates.errors_per_minute), growth(series.kato_errors_total ?? [])],
    ["Observations", count(metrics.observations_processed), growth(series.kato_observations_total ?? [])],
    ["Patterns learned", count(metrics.patterns_learned), growth(series.kato_learns_total ?? [])],
    ["Memory of the process", bytes(values("kato_memory_usage_bytes").at(-1)), values("kato_memory_usage_bytes")],
    ["Memory of the machine", `${number(metrics.resources.memory_percent)} %`, values("kato_memory_usage_percent")],
    ["Processor", `${number(metrics.resources.cpu_percent)} %`, values("kato_cpu_usage_percent")],
    ["Disk", `${number(metrics.resources.disk_percent)} %`, values("kato_disk_usage_percent")],
  ];
  return html`<h2>Load <span class="quiet">the last ${MINUTES} minutes</span></h2>
    <table class="tight load">
      <tbody>
        ${rows.map(
          ([name, now, past]) => html`<tr key=${name}>
            <th scope="row">${name}</th>
            <td class="number">${now}</td>
            <td>${past.length > 0 && html`<${Sparkline} values=${past} places=${MINUTES * POINTS_A_MINUTE} label="${name} over ${MINUTES} minutes" />`}</td>
          </tr>`,
        )}
      </tbody>
    </table>`;
}

function Requests() {
  const [errors, setErrors] = useState(false);
  const found = useEvery((signal) => get("/requests", { limit: LATEST, errors: errors || undefined }, signal), [errors]);
  const requests = (found.value?.requests ?? []).filter((each) => each.route !== FILES || each.status >= 400);
  return html`<h2>Latency <span class="quiet">of the latest ${count(requests.length)} requests, without this page's own files</span></h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Latency by route">
      <table>
        <thead>
          <tr>
            <th scope="col">Route</th>
            <th scope="col" class="number">Requests</th>
            <th scope="col" class="number">Median</th>
            <th scope="col" class="number roomy">95 %</th>
            <th scope="col" class="number roomy">Longest</th>
            <th scope="col" class="number roomy">Refused</th>
          </tr>
        </thead>
        <tbody>
          ${byRoute(requests).map(
            (each) => html`<tr key=${each.route}>
              <th scope="row" class="route"><code>${each.route}</code></th>
              <td class="number">${count(each.count)}</td>
              <td class="number">${number(each.p50)} ms</td>
              <td class="number roomy">${number(each.p95)} ms</td>
              <td class="number roomy">${number(each.most)} ms</td>
              <td class="number roomy">${count(each.errors)}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <h2>Latest requests</h2>
    <div class="inline">
      <input id="errors" type="checkbox" checked=${errors} onChange=${(event) => setErrors(event.target.checked)} />
      <label for="errors">Only what was refused or failed</label>
    </div>
    <${Trouble} error=${found.error} again=${found.again} />
    ${found.value && requests.length === 0
      ? html`<${Nothing}>There is none.<//>`
      : html`<div class="scroll log" tabindex="0" role="region" aria-label="Latest requests, newest first">
          <table class="tight">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Request</th>
                <th scope="col" class="number">Status</th>
                <th scope="col" class="number">Took</th>
                <th scope="col" class="roomy">Trace</th>
              </tr>
            </thead>
            <tbody>
              ${requests.slice(0, SHOWN).map(
                (each) => html`<tr key=${each.trace_id + each.at}>
                  <td title=${moment(each.at)}>${ago(each.at)}</td>
                  <td class="route"><code>${each.method} ${each.route}</code></td>
                  <td class="number ${each.status >= 400 ? "failed" : ""}">${each.status}</td>
                  <td class="number">${number(each.duration_ms)} ms</td>
                  <td class="roomy"><code class="quiet">${each.trace_id}</code></td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>`}`;
}
