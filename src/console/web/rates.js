// How many requests the server answers, out of the text of /metrics.
import { line } from './charts.js'
import { complaint, h } from './dom.js'

const pause_ms = 2000
const kept = 60

// The counter goes by another name where the server uses OpenTelemetry's.
const counter = /^http_(?:server_)?request_duration_seconds_count\{([^}]*)\} (\S+)/
const status = /(?:status_code|http_response_status_code)="5/

// { all, failed }: requests since the start.
export function requests_in(text) {
    const totals = { all: 0, failed: 0 }
    for (const row of text.split('\n')) {
        const found = counter.exec(row)
        if (found) {
            totals.all += Number(found[2])
            totals.failed += status.test(found[1]) ? Number(found[2]) : 0
        }
    }
    return totals
}

// Requests per second between two looks; a server that was started anew begins at 0.
export function rate_between(before, after, seconds) {
    const difference = name => Math.max(0, after[name] >= before[name] ? after[name] - before[name] : after[name])
    return { all: difference('all') / seconds, failed: difference('failed') / seconds }
}

function rate_text(rate) {
    return rate < 10 ? rate.toFixed(1) : Math.round(rate).toString()
}

// Fills a section and keeps it up to date until the signal ends it.
export async function show_rates(section, server, signal) {
    const told = h('p', { class: 'figure' }, '…')
    const failures = h('p', { class: 'quiet' }, 'Measuring for the first two seconds.')
    const drawing = h('div')
    section.append(told, failures, drawing)
    const rates = []
    let before = null
    while (!signal.aborted) {
        try {
            const now = { ...requests_in(await server.metrics(signal)), time: performance.now() }
            if (before) {
                const rate = rate_between(before, now, (now.time - before.time) / 1000)
                rates.splice(0, rates.length + 1 - kept)
                rates.push(rate.all)
                told.replaceChildren(h('strong', null, rate_text(rate.all)), ' requests per second')
                failures.textContent = `${rate.failed > 0 ? rate_text(rate.failed) : 'None'} of them failed (5xx). All projects of this process, and this page.`
                drawing.replaceChildren(line(rates, kept, `Requests per second, at most ${rate_text(Math.max(...rates))} in the last two minutes`))
            }
            before = now
        } catch (error) {
            if (error.name === 'AbortError') {
                return
            }
            section.replaceChildren(section.firstElementChild, complaint(error,
                'The rate is read from /metrics of this port: telemetry.backend.prometheus.enabled must be true, and admin.port not set.'))
            return
        }
        await new Promise(resolve => { setTimeout(resolve, pause_ms) })
    }
}
