// The page: who is signed in, and which view is shown.
import { show_context } from './context.js'
import { announce, complaint, h } from './dom.js'
import { show_files } from './files.js'
import { read_hash } from './paths.js'
import { Server } from './server.js'
import { Uploads } from './uploads.js'
import { show_usage } from './usage.js'

const views = { files: show_files, context: show_context, usage: show_usage }
const kept_as = 'flowstore-console'  // in sessionStorage, which ends with the tab

const main = document.getElementById('main')
let server = null
let uploads = null
let leave = null  // AbortController of the view that is shown

function signed_in_before() {
    try {
        return JSON.parse(sessionStorage.getItem(kept_as))
    } catch {
        return null
    }
}

function keep(account) {
    try {
        if (account) {
            sessionStorage.setItem(kept_as, JSON.stringify(account))
        } else {
            sessionStorage.removeItem(kept_as)
        }
    } catch {
        // A browser that keeps nothing: the sign-in is good until the page is left.
    }
}

function field(name, label, attributes, hint) {
    return h('div', { class: 'field' },
        h('label', { for: name }, label),
        h('input', { id: name, name, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false',
            'aria-describedby': hint ? `${name}-hint` : null, ...attributes }),
        hint ? h('p', { id: `${name}-hint`, class: 'quiet' }, hint) : null)
}

function show_sign_in() {
    server = null
    leave?.abort()
    document.title = 'Sign in – flowstore'
    document.getElementById('views').hidden = true
    document.getElementById('account').hidden = true
    const problem = h('div', { id: 'problem' })
    const form = h('form', { class: 'sign-in', onsubmit: event => sign_in(event, form, problem) },
        h('h1', { tabindex: '-1' }, 'Sign in'),
        h('p', { class: 'quiet' }, 'Files and context of one project, with the token of that project.'),
        problem,
        field('team', 'Team id', { required: true }),
        field('project', 'Project id', {}, 'Empty for a service token, which sees what a team uses.'),
        field('token', 'Token', { type: 'password', required: true }),
        h('div', { class: 'check' },
            h('input', { type: 'checkbox', id: 'stay', name: 'stay' }),
            h('label', { for: 'stay' }, 'Stay signed in when the page is loaded again, until this tab is closed')),
        h('button', { type: 'submit', class: 'main' }, 'Sign in'))
    main.replaceChildren(form)
    form.elements.team.focus()
}

async function sign_in(event, form, problem) {
    event.preventDefault()
    const { team, project, token, stay } = form.elements
    const account = { team: team.value.trim(), project: project.value.trim(), token: token.value.trim() }
    const button = form.querySelector('button')
    button.disabled = true
    try {
        if (!/^[\x21-\x7e]+$/.test(account.token)) {
            throw new Error('A token consists of ASCII characters, without spaces.')
        }
        const candidate = new Server(account)
        await candidate.usage()
        keep(stay.checked ? account : null)
        enter(candidate)
        announce('Signed in')
    } catch (error) {
        problem.replaceChildren(complaint(error))
        token.focus()
        token.select()
    } finally {
        button.disabled = false
    }
}

function enter(candidate) {
    server = candidate
    uploads = new Uploads(server)
    const is_team = server.project === ''
    document.getElementById('who').textContent = is_team ? server.team : `${server.team} / ${server.project}`
    document.getElementById('account').hidden = false
    const links = document.getElementById('views')
    links.hidden = false
    for (const link of links.querySelectorAll('a')) {
        link.hidden = is_team && link.dataset.view !== 'usage'
    }
    show_view()
}

function show_view() {
    if (!server) {
        return
    }
    const [name, ...rest] = read_hash(location.hash)
    const usual = server.project === '' ? 'usage' : 'files'
    const view = server.project !== '' && Object.hasOwn(views, name ?? '') ? name : usual
    for (const link of document.querySelectorAll('#views a')) {
        if (link.dataset.view === view) {
            link.setAttribute('aria-current', 'page')
        } else {
            link.removeAttribute('aria-current')
        }
    }
    document.title = `${view[0].toUpperCase()}${view.slice(1)} – flowstore`
    leave?.abort()
    leave = new AbortController()
    main.replaceChildren()
    views[view](main, server, { folder: view === 'files' ? rest : [], uploads, signal: leave.signal })
    main.querySelector('h1')?.focus()
}

document.getElementById('sign-out').addEventListener('click', () => {
    keep(null)
    uploads.cancel_all()
    history.replaceState(null, '', location.pathname)
    show_sign_in()
    announce('Signed out')
})
document.getElementById('skip').addEventListener('click', event => {
    event.preventDefault()
    main.focus()
})
window.addEventListener('hashchange', show_view)
// The browser asks whether to leave, in its own words.
window.addEventListener('beforeunload', event => {
    if (uploads?.is_busy) {
        event.preventDefault()
    }
})
// A file that misses its place must not take the place of the page.
for (const kind of ['dragover', 'drop']) {
    window.addEventListener(kind, event => event.preventDefault())
}

const before = signed_in_before()
if (before) {
    enter(new Server(before))
} else {
    show_sign_in()
}
