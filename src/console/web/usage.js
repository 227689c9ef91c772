// What is used, of what may be used, and by what.
import { bar, ranking } from './charts.js'
import { bytes_text, complaint, count_text, h, number_text } from './dom.js'
import { show_rates } from './rates.js'

const pages_at_most = 5  // of a thousand files each
const rows_at_most = 8

export async function show_usage(main, server, { signal }) {
    const files = card('Files')
    const context = card('Context')
    const rates = card('Requests', 'wide')
    const is_team = server.project === ''
    main.append(h('div', { class: 'head' }, h('h1', { tabindex: '-1' }, 'Usage')),
        h('div', { class: 'cards' }, is_team ? [files, rates] : [files, context, rates]))
    show_rates(rates, server, signal)
    try {
        const usage = await server.usage()
        files.append(...amount(usage.used, usage.limit, bytes_text))
        if (!is_team) {
            await Promise.all([show_largest_files(files, server, signal), show_context(context, server, usage.contextLimit, signal)])
        }
    } catch (error) {
        fail(files, error)
    }
}

function card(title, more = '') {
    return h('section', { class: `panel card ${more}`, 'aria-label': title }, h('h2', null, title))
}

function fail(section, error) {
    if (error.name !== 'AbortError') {
        section.append(complaint(error))
    }
}

// "1.2 MB of 100 MB", with a bar where there is a limit. `number_of` is the text of the first number, beside
// the second.
function amount(used, limit, text_of, number_of = text_of) {
    if (limit === undefined) {
        return [h('p', { class: 'figure' }, h('strong', null, text_of(used))), h('p', { class: 'quiet' }, 'There is no limit.')]
    }
    const part = used / limit
    const percent = `${Math.floor(part * 100 + 1e-9)} %`
    const tone = part >= 0.95 ? 'full' : part >= 0.8 ? 'near' : ''
    return [
        h('p', { class: 'figure' }, h('strong', null, number_of(used)), ` of ${text_of(limit)}`),
        bar(part, `${percent} of the quota used`, tone),
        h('p', { class: 'quiet' }, `${percent} used, ${text_of(Math.max(0, limit - used))} left`)
    ]
}

// The largest first; the smaller ones together.
function ranked(sizes, text_of) {
    const all = [...sizes].sort((a, b) => b[1] - a[1])
    const rows = all.slice(0, rows_at_most).map(([name, size]) => [name, size, text_of(size)])
    const rest = all.slice(rows_at_most)
    if (rest.length > 0) {
        const size = rest.reduce((sum, row) => sum + row[1], 0)
        rows.push([`${rest.length} more`, size, text_of(size)])
    }
    return rows
}

async function show_largest_files(section, server, signal) {
    try {
        const sizes = new Map()
        let cursor
        let count = 0
        for (let page = 0; page < pages_at_most && (page === 0 || cursor !== undefined); ++page) {
            const answer = await server.list([], { recursive: true, cursor, signal })
            cursor = answer.meta.next_cursor
            count += answer.files.length
            for (const entry of answer.files.filter(found => found.type === 'file')) {
                const slash = entry.name.indexOf('/')
                const top = slash < 0 ? entry.name : entry.name.slice(0, slash + 1)
                sizes.set(top, (sizes.get(top) ?? 0) + entry.size)
            }
        }
        if (sizes.size > 0) {
            section.append(h('h3', null, 'Largest'), ranking(ranked(sizes, bytes_text), 'Largest files and folders'))
        }
        if (cursor !== undefined) {
            section.append(h('p', { class: 'quiet' }, `Of the first ${count_text(count, 'entry', 'entries')}.`))
        }
    } catch (error) {
        if (error.status !== 404) {  // nothing was written yet
            fail(section, error)
        }
    }
}

const characters_text = count => count_text(count, 'character')

async function show_context(section, server, limit, signal) {
    try {
        const sizes = new Map()
        let cursor
        do {
            const page = await server.scopes({ cursor, signal })
            for (const { scope, values } of page.data) {
                sizes.set(scope, JSON.stringify(values).length)
            }
            cursor = page.meta.next_cursor
        } while (cursor !== undefined)
        const used = [...sizes.values()].reduce((sum, size) => sum + size, 0)
        section.append(...amount(used, limit, characters_text, number_text))
        if (sizes.size > 0) {
            section.append(h('h3', null, 'Largest'), ranking(ranked(sizes, characters_text), 'Largest scopes'))
        }
    } catch (error) {
        fail(section, error)
    }
}
