// The files of a project: one folder at a time.
import { ask_text, confirm } from './dialogs.js'
import { announce, bytes_text, complaint, count_text, h, icon, name_of, time_of } from './dom.js'
import { folder_hash, url_path } from './paths.js'
import { dropped_files } from './uploads.js'

// Browsers save nothing under names with characters that turn the text around or cannot be seen.
function saved_name(name) {
    return name.replace(/[\p{Cc}\p{Cf}]/gu, '_')
}

export function show_files(main, server, { folder, uploads, signal }) {
    return new FilesView(main, server, folder, uploads, signal).load()
}

class FilesView {
    constructor(main, server, folder, uploads, signal) {
        this.server = server
        this.folder = folder
        this.signal = signal
        this.entries = []
        this.problem = h('div')
        this.content = h('div', { class: 'listing', 'aria-busy': 'true' }, h('p', { class: 'quiet' }, 'Loading…'))
        this.uploads = uploads
        uploads.on_end = () => this.load()
        this.chooser = h('input', { type: 'file', multiple: true, hidden: true, 'aria-label': 'Files to upload',
            onchange: () => this.upload_chosen() })
        this.panel = h('section', { class: 'panel drop', 'aria-label': 'Folder' }, this.problem, this.content)
        main.append(
            h('div', { class: 'head' }, h('h1', { tabindex: '-1' }, 'Files'), this.toolbar()),
            this.crumbs(), this.panel, this.uploads.element)
        this.take_drops()
    }

    toolbar() {
        return h('div', { class: 'buttons' },
            this.chooser,
            h('button', { type: 'button', onclick: () => this.new_folder() }, icon('plus'), 'New folder'),
            h('button', { type: 'button', class: 'main', onclick: () => this.chooser.click() }, icon('upload'), 'Upload files'))
    }

    crumbs() {
        const names = [this.server.project, ...this.folder]
        return h('nav', { 'aria-label': 'Folders above', class: 'crumbs' }, h('ol', null, names.map((name, at) => {
            const is_last = at === names.length - 1
            return h('li', null, is_last
                ? h('span', { 'aria-current': 'location' }, name_of(name))
                : h('a', { href: folder_hash(this.folder.slice(0, at)) }, name_of(name)))
        })))
    }

    // The first page; what was loaded before goes.
    async load() {
        this.entries = []
        this.cursor = undefined
        await this.load_more()
    }

    async load_more() {
        try {
            const page = await this.server.list(this.folder, { cursor: this.cursor, signal: this.signal })
            this.entries.push(...page.files)
            this.cursor = page.meta.next_cursor
            this.problem.replaceChildren()
            this.show()
        } catch (error) {
            if (error.name === 'AbortError') {
                return
            }
            if (error.status === 404) {  // a folder is there when something is in it
                this.show()
                return
            }
            this.content.replaceChildren()
            this.complain(error)
        }
        this.content.removeAttribute('aria-busy')
    }

    show() {
        this.content.removeAttribute('aria-busy')
        if (this.entries.length === 0) {
            this.content.replaceChildren(h('div', { class: 'empty' },
                h('p', null, 'Nothing is here yet.'),
                h('p', { class: 'quiet' }, 'Drop files here, or choose Upload files.')))
            return
        }
        const more = this.cursor === undefined ? null
            : h('button', { type: 'button', onclick: () => this.load_more() }, 'Show more')
        this.content.replaceChildren(
            h('table', null,
                h('caption', { class: 'hidden' }, 'Files and folders'),
                h('thead', null, h('tr', null,
                    h('th', { scope: 'col' }, 'Name'), h('th', { scope: 'col', class: 'number' }, 'Size'),
                    h('th', { scope: 'col', class: 'changed' }, 'Changed'),
                    h('th', { scope: 'col' }, h('span', { class: 'hidden' }, 'Actions')))),
                h('tbody', null, this.entries.map(entry => this.row(entry)))),
            h('p', { class: 'quiet below' }, count_text(this.entries.length, 'entry', 'entries'), more ? ' shown ' : '', more))
    }

    row(entry) {
        const is_folder = entry.type === 'directory'
        const path = [...this.folder, entry.name]
        const name = is_folder
            ? h('a', { href: folder_hash(path) }, icon('folder'), name_of(entry.name))
            : h('span', null, icon('file'), h('span', null, name_of(entry.name),
                h('span', { class: 'quiet below-name', 'aria-hidden': 'true' }, bytes_text(entry.size))))
        const get = is_folder ? null : h('button', { type: 'button', class: 'plain', 'aria-label': `Download ${entry.name}`,
            title: 'Download', onclick: event => this.download(path, event.currentTarget) }, icon('download'))
        const remove = h('button', { type: 'button', class: 'plain', 'aria-label': `Delete ${entry.name}`,
            title: 'Delete', onclick: () => this.remove(path, is_folder) }, icon('bin'))
        return h('tr', null,
            h('th', { scope: 'row' }, name),
            h('td', { class: 'number' }, is_folder ? '' : bytes_text(entry.size)),
            h('td', { class: 'changed' }, time_of(entry.lastModified)),
            h('td', { class: 'actions' }, get, remove))
    }

    async download(path, button) {
        button.disabled = true
        const name = path.at(-1)
        announce(`Downloading ${name}`)
        try {
            const url = URL.createObjectURL(await this.server.download(path))
            h('a', { href: url, download: saved_name(name) }).click()
            setTimeout(() => URL.revokeObjectURL(url), 60_000)
            announce(`Downloaded ${name}`)
        } catch (error) {
            this.complain(error)
        } finally {
            button.disabled = false
        }
    }

    async remove(path, is_folder) {
        const name = path.at(-1)
        const text = is_folder ? 'The folder and everything in it goes for good.' : 'The file goes for good.'
        if (!await confirm(`Delete “${name}”?`, text, is_folder ? 'Delete folder' : 'Delete file')) {
            return
        }
        try {
            await (is_folder ? this.server.remove_folder(path) : this.server.remove_file(path))
            await this.load()
            this.focus_after_removal()
            announce(`Deleted ${name}`)
        } catch (error) {
            this.complain(error)
        }
    }

    // The button that had the focus is gone with its row.
    focus_after_removal() {
        document.querySelector('h1').focus()
    }

    async new_folder() {
        const name = await ask_text('New folder', 'Name', 'Open', 'The server makes a folder together with the first file in it.')
        if (!name) {
            return
        }
        const names = name.split('/').filter(part => part !== '')
        try {
            url_path(names)
            location.hash = folder_hash([...this.folder, ...names])
        } catch (error) {
            this.complain(error)
        }
    }

    upload_chosen() {
        const files = [...this.chooser.files].map(file => ({ path: [...this.folder, file.name], file }))
        this.chooser.value = ''
        this.uploads.add(files)
    }

    take_drops() {
        let inside = 0  // entered elements that were not left
        const mark = change => event => {
            event.preventDefault()
            inside = Math.max(0, inside + change)
            this.panel.classList.toggle('dropping', inside > 0)
        }
        this.panel.addEventListener('dragenter', mark(1))
        this.panel.addEventListener('dragleave', mark(-1))
        this.panel.addEventListener('drop', async event => {
            event.preventDefault()
            inside = 0
            this.panel.classList.remove('dropping')
            try {
                this.uploads.add(await dropped_files(event.dataTransfer, this.folder))
            } catch (error) {
                this.complain(error)
            }
        })
    }

    complain(error) {
        this.problem.replaceChildren(complaint(error))
    }
}
