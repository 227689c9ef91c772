// The context of a project: scopes on one side, the values of one of them on the other.
import { ask_text, confirm } from './dialogs.js'
import { announce, complaint, count_text, h, icon, name_of } from './dom.js'
import { add_value, edit_value } from './edit.js'
import { expression_of } from './paths.js'
import { count_matches, Tree } from './tree.js'

const at_once = 4_000_000  // characters of JSON that are loaded before somebody asks for more

export function show_context(main, server, { signal }) {
    return new ContextView(main, server, signal).load()
}

function kind_of(scope) {
    return scope === 'global' ? 'all flows' : scope.includes(':') ? 'a node' : 'a flow'
}

// The value at a path below an object; undefined where it leads nowhere.
function at_path(values, path) {
    return path.reduce((value, part) => (value !== null && typeof value === 'object' && Object.hasOwn(value, part) ? value[part] : undefined), values)
}

// A copy in which the value at the path is another one, or is gone.
function changed_copy(values, path, value) {
    const copy = structuredClone(values)
    const parent = at_path(copy, path.slice(0, -1))
    const last = path.at(-1)
    if (value !== undefined) {
        Object.defineProperty(parent, last, { value, configurable: true, enumerable: true, writable: true })
    } else if (Array.isArray(parent)) {
        parent.splice(last, 1)
    } else {
        delete parent[last]
    }
    return copy
}

function changed_meanwhile() {
    const error = new Error('Somebody has changed the value meanwhile. Save anyway to put yours in its place, or cancel to see theirs.')
    error.name = 'Changed'
    return error
}

class ContextView {
    constructor(main, server, signal) {
        this.server = server
        this.signal = signal
        this.scopes = new Map()  // values by scope
        this.selected = null
        this.words = ''
        this.problem = h('div')
        this.list = h('ul', { class: 'scopes' })
        this.more = h('div', { class: 'below' })
        this.tree = new Tree('Values', path => this.edit(path))
        this.values = h('section', { class: 'panel values', 'aria-label': 'Values of the scope', 'aria-busy': 'true' },
            h('p', { class: 'quiet' }, 'Loading…'))
        main.append(
            h('div', { class: 'head' }, h('h1', { tabindex: '-1' }, 'Context'), this.toolbar()),
            this.search_field(), this.problem,
            h('div', { class: 'sides' },
                h('nav', { class: 'panel', 'aria-label': 'Scopes' }, this.list, this.more), this.values))
    }

    toolbar() {
        return h('div', { class: 'buttons' },
            h('button', { type: 'button', onclick: () => this.load() }, icon('again'), 'Reload'),
            h('button', { type: 'button', class: 'main', onclick: () => this.add() }, icon('plus'), 'Add value'))
    }

    search_field() {
        const input = h('input', { type: 'search', id: 'search', autocomplete: 'off', spellcheck: 'false',
            oninput: () => this.search(input.value) })
        return h('div', { class: 'search', role: 'search' }, h('label', { for: 'search' }, 'Search names and values'), input)
    }

    // ---- loading
    async load() {
        this.scopes.clear()
        this.cursor = undefined
        await this.load_more()
    }

    // Pages, until there are no more or enough to look at.
    async load_more() {
        try {
            let characters = 0
            do {
                const page = await this.server.scopes({ cursor: this.cursor, signal: this.signal })
                for (const { scope, values } of page.data) {
                    this.scopes.set(scope, values)
                    characters += JSON.stringify(values).length
                }
                this.count = page.count
                this.cursor = page.meta.next_cursor
            } while (this.cursor !== undefined && characters < at_once)
            this.problem.replaceChildren()
        } catch (error) {
            if (error.name === 'AbortError') {
                return
            }
            this.complain(error, error.status === 401
                ? 'The token is not good for context, or this server keeps no context (context.type is not set).' : undefined)
        }
        this.values.removeAttribute('aria-busy')
        this.show()
    }

    // Reads what one scope holds now; it may not be among the pages.
    async read_scope(scope) {
        const names = await this.server.names(scope)
        const values = {}
        for (const name of names) {
            const expression = expression_of([name])
            const value = expression === null ? undefined : await this.server.value(scope, expression)
            if (value !== undefined) {
                Object.defineProperty(values, name, { value, configurable: true, enumerable: true, writable: true })
            }
        }
        return values
    }

    // ---- showing
    show() {
        if (!this.scopes.has(this.selected)) {
            this.selected = this.scopes.has('global') ? 'global' : this.scopes.keys().next().value ?? null
        }
        this.show_scopes()
        this.show_values()
    }

    show_scopes() {
        const words = this.words.toLowerCase()
        this.list.replaceChildren(...[...this.scopes].map(([scope, values]) => {
            const found = words === '' ? null : count_matches(values, words)
            return h('li', null, h('button', { type: 'button', class: found === 0 ? 'scope dim' : 'scope',
                'aria-current': scope === this.selected ? 'true' : null, onclick: () => this.select(scope) },
            name_of(scope === '' ? '(no name)' : scope),
            h('span', { class: 'quiet' }, found === null
                ? `${kind_of(scope)}, ${count_text(JSON.stringify(values).length, 'character')}` : count_text(found, 'match', 'matches'))))
        }))
        const left = this.cursor === undefined ? 0 : this.count - this.scopes.size
        this.more.replaceChildren(
            left > 0 ? h('button', { type: 'button', onclick: () => this.load_more() }, `Load more (${left} left)`) : '',
            h('button', { type: 'button', class: 'small', onclick: () => this.open_by_name() }, 'Open a scope by name'))
    }

    show_values() {
        if (this.selected === null) {
            this.values.replaceChildren(h('div', { class: 'empty' },
                h('p', null, 'There is no context yet.'), h('p', { class: 'quiet' }, 'Flows write it, or you add a value.')))
            return
        }
        const found = this.tree.show(this.scopes.get(this.selected), this.words)
        this.values.replaceChildren(
            h('div', { class: 'head' }, h('h2', { tabindex: '-1' }, name_of(this.selected)),
                h('button', { type: 'button', onclick: () => this.remove_scope() }, icon('bin'), 'Delete scope')),
            this.words !== '' && found === 0 ? h('p', { class: 'quiet' }, 'Nothing in this scope matches.') : this.tree.element)
    }

    select(scope) {
        this.selected = scope
        this.show()
        this.values.querySelector('h2').focus()
    }

    search(words) {
        this.words = words.trim()
        this.show()
        if (this.words !== '') {
            const all = [...this.scopes.values()].reduce((sum, values) => sum + count_matches(values, this.words.toLowerCase()), 0)
            announce(count_text(all, 'match', 'matches'))
        }
    }

    async open_by_name() {
        const scope = await ask_text('Open a scope', 'Scope', 'Open', 'global, the id of a flow, or NODE:FLOW')
        if (!scope) {
            return
        }
        try {
            const values = await this.read_scope(scope)
            if (Object.keys(values).length === 0) {
                throw new Error(`The scope “${scope}” holds nothing.`)
            }
            this.scopes.set(scope, values)
            this.problem.replaceChildren()
            this.select(scope)
        } catch (error) {
            this.complain(error)
        }
    }

    // ---- changing
    async edit(path) {
        const scope = this.selected
        const before = at_path(this.scopes.get(scope), path)
        const done = await edit_value({ scope, path, value: before,
            save: (value, is_sure) => this.write(scope, path, value, is_sure ? undefined : before),
            remove: () => this.write(scope, path, undefined) })
        if (done) {
            this.show()
            this.tree.focus(done === 'saved' ? path : path.slice(0, -1))
            announce(done === 'saved' ? 'Saved' : 'Deleted')
        }
        if (!this.values.contains(document.activeElement)) {
            this.values.querySelector('h2')?.focus()
        }
    }

    // Changes one value, and then shows what the server has. `expected` is what was there, if that matters.
    async write(scope, path, value, expected) {
        const expression = expression_of(path)
        // A write to a scope called "clean" would be another request: clean all scopes.
        const is_literal = expression === null || scope === 'clean'
        if (is_literal) {
            return this.write_literally(scope, path, value, expected)
        }
        if (expected !== undefined) {
            const now = await this.server.value(scope, expression)
            if (JSON.stringify(now) !== JSON.stringify(expected)) {
                throw changed_meanwhile()
            }
        }
        await this.server.set_value(scope, expression, value)
        await this.refresh(scope, path[0])
    }

    // Where no expression leads to the value, the whole scope is written with what it holds now.
    async write_literally(scope, path, value, expected) {
        const current = await this.find_scope(scope)
        if (expected !== undefined && JSON.stringify(at_path(current, path)) !== JSON.stringify(expected)) {
            throw changed_meanwhile()
        }
        const changed = changed_copy(current, path, value)
        await this.server.replace_scope(scope, changed)
        this.keep(scope, changed)
    }

    async find_scope(scope) {
        let cursor
        do {
            const page = await this.server.scopes({ cursor })
            const found = page.data.find(row => row.scope === scope)
            if (found) {
                return found.values
            }
            cursor = page.meta.next_cursor
        } while (cursor !== undefined)
        throw new Error('The scope is gone meanwhile.')
    }

    async refresh(scope, name) {
        const expression = expression_of([name])
        const value = await this.server.value(scope, expression)
        const has_it = at_path(this.scopes.get(scope), [name]) !== undefined
        this.keep(scope, value === undefined && !has_it ? this.scopes.get(scope) : changed_copy(this.scopes.get(scope), [name], value))
    }

    // A scope without values is none.
    keep(scope, values) {
        if (Object.keys(values).length === 0) {
            this.scopes.delete(scope)
        } else {
            this.scopes.set(scope, values)
        }
    }

    async add() {
        const scope = await add_value({ scope: this.selected ?? 'global', scopes: [...this.scopes.keys()], save: async (place, name, value) => {
            if (place === 'clean') {
                throw new Error('A scope of this name cannot be written: see docs/compatibility.md.')
            }
            await this.server.set_value(place, name, value)
        } })
        if (scope) {
            await this.load()
            this.select(this.scopes.has(scope) ? scope : this.selected)
            announce('Added')
        }
    }

    async remove_scope() {
        const scope = this.selected
        if (!await confirm(`Delete “${scope}”?`, 'The scope and all its values go for good.', 'Delete scope')) {
            return
        }
        try {
            await this.server.remove_scope(scope)
            this.scopes.delete(scope)
            this.show()
            document.querySelector('h1').focus()
            announce(`Deleted ${scope}`)
        } catch (error) {
            this.complain(error)
        }
    }

    complain(error, more) {
        this.problem.replaceChildren(complaint(error, more))
    }
}
