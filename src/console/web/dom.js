// Makes elements. Whatever comes from the server goes in as text; nothing here reads HTML.

const svg_space = 'http://www.w3.org/2000/svg'

// An element with attributes and children. An attribute that is a function is a listener ("onclick"),
// true is one without a value, and false, null and undefined leave it out. Children are nodes or text.
export function h(tag, attributes, ...children) {
    return filled(document.createElement(tag), attributes, children)
}

// The same for a drawing.
export function svg(tag, attributes, ...children) {
    return filled(document.createElementNS(svg_space, tag), attributes, children)
}

function filled(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes ?? {})) {
        if (typeof value === 'function') {
            element.addEventListener(name.slice(2), value)
        } else if (value !== false && value !== null && value !== undefined) {
            element.setAttribute(name, value === true ? '' : value)
        }
    }
    element.append(...children.flat().filter(child => child !== null && child !== undefined))
    return element
}

// A name of somebody else's making, kept from turning the text around it.
export function name_of(text) {
    return h('bdi', { class: 'name' }, text)
}

// Tells people who cannot see it what has happened; everybody else finds it at the edge of the page.
let goes_at
export function announce(text) {
    const status = document.getElementById('status')
    clearTimeout(goes_at)
    status.textContent = ''
    requestAnimationFrame(() => { status.textContent = text })
    goes_at = setTimeout(() => { status.textContent = '' }, 5000)
}

// Says what went wrong, in the words of the server where it had any.
export function complaint(error, more) {
    return h('div', { class: 'complaint', role: 'alert' },
        h('p', null, error.message),
        more ? h('p', { class: 'quiet' }, more) : null)
}

const units = ['kB', 'MB', 'GB', 'TB', 'PB']

// "1.5 MB", in powers of 1000 as in the configuration.
export function bytes_text(count) {
    if (count < 1000) {
        return `${count} B`
    }
    let value = count / 1000
    let unit = 0
    while (value >= 999.5 && unit < units.length - 1) {
        value /= 1000
        unit += 1
    }
    return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

const numbers = new Intl.NumberFormat('en')
export function number_text(count) {
    return numbers.format(count)
}

export function count_text(count, one, many = `${one}s`) {
    return `${number_text(count)} ${count === 1 ? one : many}`
}

const dates = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
export function time_of(text) {
    const time = new Date(text)
    return Number.isNaN(time.getTime()) ? text : h('time', { datetime: text }, dates.format(time))
}

const shapes = {
    folder: 'M2.5 5.5a2 2 0 0 1 2-2h3l2 2h6a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-11a2 2 0 0 1-2-2z',
    file: 'M5 2.5h6.5L16 7v9a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 4 16V4a1.5 1.5 0 0 1 1-1.5zM11.500 2.500V7H16',
    download: 'M10 3v9.500M6 9l4 4 4-4M4 16.500h12',
    upload: 'M10 13V3.500M6 7l4-4 4 4M4 16.500h12',
    plus: 'M10 4v12M4 10h12',
    bin: 'M4 5.500h12M8 5.500V3.500h4v2M5.500 5.500l.8 11h7.400l.8-11M8.500 8.500v5M11.500 8.500v5',
    pen: 'M4 16l.8-3.500L13 4.300l2.700 2.700-8.200 8.200z',
    again: 'M16 10a6 6 0 1 1-1.800-4.300M16 3v3.500h-3.500'
}

// A small picture beside a word, which says nothing itself.
export function icon(shape) {
    return svg('svg', { viewBox: '0 0 20 20', class: 'icon', 'aria-hidden': 'true', focusable: 'false' },
        svg('path', { d: shapes[shape] }))
}
