// Windows in which values are written.
import { ask } from './dialogs.js'
import { complaint, h } from './dom.js'
import { path_text } from './paths.js'

function parse(text) {
    try {
        return JSON.parse(text)
    } catch (error) {
        throw new Error(`This is not JSON: ${error.message}`)
    }
}

// Enough to see it, and to write a little more.
function rows_for(value) {
    return Math.min(16, Math.max(4, JSON.stringify(value, null, 2).split('\n').length + 1))
}

// Runs what a button does; what goes wrong is said in the dialog, which stays.
async function attempt(dialog, problem, action) {
    const buttons = [...dialog.querySelectorAll('button')]
    buttons.forEach(button => { button.disabled = true })
    try {
        await action()
    } catch (error) {
        problem.replaceChildren(complaint(error))
    } finally {
        buttons.forEach(button => { button.disabled = false })
    }
}

// Changes a value. `save(value, is_sure)` and `remove(is_sure)` do it; `save` throws an error of the name
// "Changed" if somebody else was faster, and then does it when told that it is sure. The answer is what
// was done: 'saved', 'removed' or nothing.
export function edit_value({ scope, path, value, save, remove }) {
    return ask('Edit value', (close, dialog) => {
        const text = h('textarea', { id: 'value', rows: rows_for(value), spellcheck: 'false', autofocus: true, 'aria-describedby': 'value-place' })
        text.value = JSON.stringify(value, null, 2)
        const problem = h('div')
        const saver = h('button', { type: 'submit', class: 'main' }, 'Save')
        let is_sure = false
        const submit = event => {
            event.preventDefault()
            attempt(dialog, problem, async () => {
                try {
                    await save(parse(text.value), is_sure)
                } catch (error) {
                    is_sure = error.name === 'Changed'
                    saver.textContent = is_sure ? 'Save anyway' : 'Save'
                    throw error
                }
                close('saved')
            })
        }
        const deleting = h('button', { type: 'button', class: 'danger left', onclick: () => press_delete() }, 'Delete…')
        let was_asked = false
        const press_delete = () => {
            if (!was_asked) {
                was_asked = true
                deleting.textContent = 'Delete for good'
                return
            }
            attempt(dialog, problem, async () => {
                await remove()
                close('removed')
            })
        }
        return h('form', { onsubmit: submit },
            h('p', { id: 'value-place', class: 'place' }, h('bdi', null, `${scope} › ${path_text(path)}`)),
            h('label', { for: 'value' }, 'Value, as JSON'),
            text, problem,
            h('div', { class: 'buttons' }, deleting,
                h('button', { type: 'button', onclick: () => close() }, 'Cancel'), saver))
    })
}

// Adds a value to a scope. `save(scope, expression, value)` does it; the answer is the scope.
export function add_value({ scope, scopes, save }) {
    return ask('Add value', (close, dialog) => {
        const place = h('input', { id: 'add-scope', required: true, value: scope, list: 'add-scopes', autocomplete: 'off',
            autocapitalize: 'none', spellcheck: 'false', 'aria-describedby': 'add-scope-hint' })
        const name = h('input', { id: 'add-name', required: true, autofocus: true, autocomplete: 'off', autocapitalize: 'none',
            spellcheck: 'false', 'aria-describedby': 'add-name-hint' })
        const text = h('textarea', { id: 'add-value', rows: '5', required: true, spellcheck: 'false' })
        const problem = h('div')
        const submit = event => {
            event.preventDefault()
            attempt(dialog, problem, async () => {
                await save(place.value, name.value, parse(text.value))
                close(place.value)
            })
        }
        return h('form', { onsubmit: submit },
            h('label', { for: 'add-scope' }, 'Scope'), place,
            h('datalist', { id: 'add-scopes' }, scopes.map(known => h('option', { value: known }))),
            h('p', { id: 'add-scope-hint', class: 'quiet' }, 'global, the id of a flow, or NODE:FLOW'),
            h('label', { for: 'add-name' }, 'Name'), name,
            h('p', { id: 'add-name-hint', class: 'quiet' }, 'As in a flow: count, or a.b[0] for a place inside a value'),
            h('label', { for: 'add-value' }, 'Value, as JSON'), text, problem,
            h('div', { class: 'buttons' },
                h('button', { type: 'button', onclick: () => close() }, 'Cancel'),
                h('button', { type: 'submit', class: 'main' }, 'Add')))
    })
}
