// Questions in a window of their own. The browser keeps the focus inside and gives it back after.
import { h } from './dom.js'

// Shows a dialog until it is closed. `fill` gets a function that closes it with an answer and
// returns what is inside; Escape closes it with nothing.
export function ask(title, fill) {
    return new Promise(resolve => {
        const heading = h('h2', { id: 'dialog-title' }, title)
        const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, heading)
        let answer
        const close = value => {
            answer = value
            dialog.close()
        }
        dialog.append(...[fill(close, dialog)].flat())
        dialog.addEventListener('close', () => {
            dialog.remove()
            resolve(answer)
        })
        document.body.append(dialog)
        dialog.showModal()
        dialog.querySelector('[autofocus]')?.focus()
    })
}

// A question that is answered by yes or no. Nothing happens by pressing Enter without a look.
export async function confirm(title, text, yes) {
    const answer = await ask(title, close => [
        h('p', null, text),
        h('div', { class: 'buttons' },
            h('button', { type: 'button', autofocus: true, onclick: () => close(false) }, 'Cancel'),
            h('button', { type: 'button', class: 'danger', onclick: () => close(true) }, yes))
    ])
    return answer === true
}

// A line of text; nothing if it was not given.
export function ask_text(title, label, yes, hint) {
    return ask(title, close => {
        const input = h('input', { id: 'dialog-text', autofocus: true, required: true, autocomplete: 'off',
            'aria-describedby': hint ? 'dialog-hint' : null })
        const submit = event => {
            event.preventDefault()
            close(input.value)
        }
        return h('form', { onsubmit: submit },
            h('label', { for: 'dialog-text' }, label),
            input,
            hint ? h('p', { id: 'dialog-hint', class: 'quiet' }, hint) : null,
            h('div', { class: 'buttons' },
                h('button', { type: 'button', onclick: () => close() }, 'Cancel'),
                h('button', { type: 'submit', class: 'main' }, yes)))
    })
}
