// A JSON value as a tree that a keyboard and a screen reader can walk through. Branches are made when
// they are opened, so a large value costs no more than what is looked at.
import { count_text, h, icon } from './dom.js'

const children_at_a_time = 200
const most_matches = 300
const longest_shown = 300  // characters of a text

function is_branch(value) {
    return value !== null && typeof value === 'object'
}

function children_of(value) {
    return Array.isArray(value) ? value.map((child, at) => [at, child]) : Object.entries(value)
}

function shown(value) {
    if (Array.isArray(value)) {
        return count_text(value.length, 'item')
    }
    if (is_branch(value)) {
        return count_text(Object.keys(value).length, 'name')
    }
    const text = JSON.stringify(value)
    return text.length > longest_shown ? `${text.slice(0, longest_shown)}…` : text
}

function kind_of(value) {
    return is_branch(value) ? 'branch' : value === null ? 'null' : typeof value
}

// Whether a name or a plain value holds the words; both in lower case.
function is_match(name, value, words) {
    return String(name).toLowerCase().includes(words) ||
        (!is_branch(value) && String(value).toLowerCase().includes(words))
}

// How many names and values below this one hold the words.
export function count_matches(value, words) {
    let found = 0
    const left = [value]
    while (left.length > 0) {
        for (const [name, child] of children_of(left.pop())) {
            found += is_match(name, child, words) ? 1 : 0
            if (is_branch(child)) {
                left.push(child)
            }
        }
    }
    return found
}

// The parts of a value on the way to a match; nothing where there is none. `state` counts them.
function matching(value, words, state) {
    const kept = new Map()
    for (const [name, child] of children_of(value)) {
        if (state.found >= most_matches) {
            break
        }
        const matches = is_match(name, child, words)
        state.found += matches ? 1 : 0
        const below = is_branch(child) ? matching(child, words, state) : null
        if (matches || below) {
            kept.set(name, below)
        }
    }
    return kept.size > 0 ? kept : null
}

function marked(text, words) {
    const at = words === '' ? -1 : text.toLowerCase().indexOf(words)
    return at < 0 ? [text]
        : [text.slice(0, at), h('mark', null, text.slice(at, at + words.length)), text.slice(at + words.length)]
}

export class Tree {
    // `on_choose` is called with the path of a value that is to be edited.
    constructor(label, on_choose) {
        this.on_choose = on_choose
        this.paths = new WeakMap()  // of the items
        this.makers = new WeakMap() // of the groups of closed items
        this.element = h('ul', { role: 'tree', class: 'tree', 'aria-label': label, onkeydown: event => this.press(event),
            onclick: event => this.click(event) })
    }

    // Shows a value, or of it only what holds the words. Returns how many matches are shown.
    show(value, words = '') {
        this.words = words.toLowerCase()
        const state = { found: 0 }
        const kept = this.words === '' ? null : matching(value, this.words, state) ?? new Map()
        this.element.replaceChildren(...this.items(value, [], kept))
        this.make_reachable(this.element.firstElementChild)
        return state.found
    }

    // The path of the item that Tab leads to.
    get current() {
        const item = this.element.querySelector('[tabindex="0"]')
        return item ? this.paths.get(item) : undefined
    }

    // Opens the way to a value and gives it the focus.
    focus(path) {
        let group = this.element
        let found = null
        for (let length = 1; length <= path.length && group; ++length) {
            found = [...group.children].find(item => this.paths.get(item)?.at(-1) === path[length - 1])
            if (!found) {
                return
            }
            if (length < path.length) {
                this.open(found)
            }
            group = found.querySelector(':scope > [role=group]')
        }
        if (found) {
            this.move_to(found)
        }
    }

    items(value, path, kept, from = 0) {
        const all = kept ? [...kept.keys()].map(name => [name, value[name]]) : children_of(value)
        const part = all.slice(from, from + children_at_a_time)
        const items = part.map(([name, child], at) => this.item(name, child, [...path, name], kept?.get(name), from + at + 1, all.length))
        const left = all.length - from - part.length
        if (left > 0) {
            const more = this.row_item(path.length + 1, h('span', { class: 'more' }, `Show more (${left} left)`))
            this.makers.set(more, () => this.items(value, path, kept, from + part.length))
            items.push(more)
        }
        return items
    }

    row_item(level, ...content) {
        return h('li', { role: 'treeitem', tabindex: '-1', 'aria-level': level }, h('div', { class: 'row' }, ...content))
    }

    item(name, value, path, kept, at, of) {
        const has_children = is_branch(value) && children_of(value).length > 0
        const label = typeof name === 'number' ? `[${name}]` : name
        const item = this.row_item(path.length,
            h('span', { class: 'twist', 'aria-hidden': 'true' }),
            h('bdi', { class: typeof name === 'number' ? 'key place' : 'key' }, marked(label, this.words)),
            h('span', { class: `value ${kind_of(value)}` }, is_branch(value) ? shown(value) : marked(shown(value), this.words)),
            h('button', { type: 'button', class: 'plain edit', tabindex: '-1', 'aria-label': `Edit ${label}`, title: 'Edit' }, icon('pen')))
        item.setAttribute('aria-setsize', of)
        item.setAttribute('aria-posinset', at)
        this.paths.set(item, path)
        if (has_children) {
            item.setAttribute('aria-expanded', 'false')
            this.makers.set(item, () => this.items(value, path, kept ?? null))
            if (kept) {
                this.open(item)
            }
        }
        return item
    }

    // ---- opening and closing
    open(item) {
        if (item.getAttribute('aria-expanded') !== 'false') {
            return
        }
        item.setAttribute('aria-expanded', 'true')
        item.append(h('ul', { role: 'group' }, this.makers.get(item)()))
    }

    close(item) {
        if (item.getAttribute('aria-expanded') !== 'true') {
            return
        }
        item.setAttribute('aria-expanded', 'false')
        item.querySelector(':scope > [role=group]').remove()
    }

    toggle(item) {
        if (item.getAttribute('aria-expanded') === 'true') {
            this.close(item)
        } else {
            this.open(item)
        }
    }

    // The item that stands for the rest makes room for it.
    show_more(item) {
        const items = this.makers.get(item)()
        item.replaceWith(...items)
        this.move_to(items[0])
    }

    // ---- moving about
    make_reachable(item) {
        this.element.querySelector('[tabindex="0"]')?.setAttribute('tabindex', '-1')
        item?.setAttribute('tabindex', '0')
    }

    move_to(item) {
        if (item) {
            this.make_reachable(item)
            item.focus()
        }
    }

    visible() {
        return [...this.element.querySelectorAll('[role=treeitem]')]
    }

    press(event) {
        const item = event.target.closest('[role=treeitem]')
        if (!item || event.ctrlKey || event.altKey || event.metaKey) {
            return
        }
        const act = {
            ArrowDown: () => this.move_by(item, 1),
            ArrowUp: () => this.move_by(item, -1),
            Home: () => this.move_to(this.visible()[0]),
            End: () => this.move_to(this.visible().at(-1)),
            ArrowRight: () => this.go_in(item),
            ArrowLeft: () => this.go_out(item),
            Enter: () => this.choose(item),
            ' ': () => (this.paths.has(item) ? this.toggle(item) : this.show_more(item))
        }[event.key]
        if (act && event.target === item) {
            event.preventDefault()
            act()
        }
    }

    move_by(item, step) {
        const all = this.visible()
        this.move_to(all[all.indexOf(item) + step])
    }

    go_in(item) {
        if (item.getAttribute('aria-expanded') === 'true') {
            this.move_to(item.querySelector('[role=treeitem]'))
        } else {
            this.open(item)
        }
    }

    go_out(item) {
        if (item.getAttribute('aria-expanded') === 'true') {
            this.close(item)
        } else {
            this.move_to(item.parentElement.closest('[role=treeitem]'))
        }
    }

    choose(item) {
        const path = this.paths.get(item)
        if (path) {
            this.on_choose(path)
        } else {
            this.show_more(item)
        }
    }

    click(event) {
        const item = event.target.closest('[role=treeitem]')
        if (!item) {
            return
        }
        this.make_reachable(item)
        const is_leaf = !item.hasAttribute('aria-expanded')
        if (is_leaf || event.target.closest('.edit')) {
            this.choose(item)
        } else {
            item.focus()
            this.toggle(item)
        }
    }
}
