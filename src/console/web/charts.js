// Charts as drawings. Their numbers stand beside them as text, so they are pictures to a screen reader.
import { h, svg } from './dom.js'

// One bar, full to a part of 0 to 1. `tone` is a class that says how serious it is.
export function bar(part, label, tone = '') {
    const width = Math.max(0, Math.min(1, part)) * 100
    return svg('svg', { class: `bar ${tone}`, viewBox: '0 0 100 6', preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
        svg('rect', { class: 'room', width: '100', height: '6' }),
        svg('rect', { class: 'filled', width: width.toFixed(2), height: '6' }))
}

// Rows of [name, amount, text], the longest bar first in its full length.
export function ranking(rows, caption) {
    const most = Math.max(...rows.map(row => row[1]), 1)
    return h('table', { class: 'ranking' }, h('caption', { class: 'hidden' }, caption),
        h('thead', { class: 'hidden' }, h('tr', null, h('th', { scope: 'col' }, 'Name'), h('th', { scope: 'col' }, 'Size'))),
        h('tbody', null, rows.map(([name, amount, text]) => h('tr', null,
            h('th', { scope: 'row' }, h('bdi', { class: 'name' }, name)),
            h('td', null, h('span', { class: 'amount' }, text), svg('svg', { class: 'bar slim', viewBox: '0 0 100 6',
                preserveAspectRatio: 'none', 'aria-hidden': 'true' },
            svg('rect', { class: 'room', width: '100', height: '6' }),
            svg('rect', { class: 'filled', width: (amount / most * 100).toFixed(2), height: '6' })))))))
}

// A line through the latest values, the newest at the right end of `length` places.
export function line(values, length, label) {
    const most = Math.max(...values, 1)
    const x = at => (length - values.length + at) / (length - 1) * 300
    const y = value => 58 - value / most * 54
    const points = values.map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`)
    const drawing = svg('svg', { class: 'line', viewBox: '0 0 300 60', preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
        svg('path', { class: 'ground', d: 'M0 58.500H300' }))
    if (points.length > 1) {
        drawing.append(
            svg('polygon', { class: 'area', points: `${x(0).toFixed(1)},58.500 ${points.join(' ')} 300,58.500` }),
            svg('polyline', { class: 'stroke', points: points.join(' ') }))
    }
    return drawing
}
