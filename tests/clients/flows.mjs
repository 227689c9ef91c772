// The flows that the tests run: one FlowFuse file node per way of using it. Messages come in through
// a function node before each file node; what the file nodes send, what the catch node gets and
// that a message is done goes out through function nodes after them.

const file_nodes = {
    'replace': { type: 'file', overwriteFile: 'true' },
    'replace in folder': { type: 'file', overwriteFile: 'true', createDir: true },
    'replace with line break': { type: 'file', overwriteFile: 'true', appendNewline: true },
    'append': { type: 'file', overwriteFile: 'false' },
    'append line': { type: 'file', overwriteFile: 'false', appendNewline: true },
    'append in folder': { type: 'file', overwriteFile: 'false', createDir: true },
    'delete': { type: 'file', overwriteFile: 'delete' },
    'read text': { type: 'file in', format: 'utf8' },
    'read buffer': { type: 'file in', format: '' },
    'read lines': { type: 'file in', format: 'lines' },
    'read stream': { type: 'file in', format: 'stream' },
    'read text or error': { type: 'file in', format: 'utf8', sendError: true }
}

// A node without coordinates would be a configuration node.
const place = { z: 'tab', x: 0, y: 0 }

// The content of flows.json. The function nodes use the `harness` of settings.cjs.
export function make_flows() {
    const operations = Object.entries(file_nodes)
    return [
        { id: 'tab', type: 'tab', label: 'files' },
        ...operations.flatMap(([name, config]) => [entry_node(name), file_node(name, config)]),
        { id: 'catch', type: 'catch', ...place, scope: null, wires: [['caught']] },
        { id: 'complete', type: 'complete', ...place, scope: operations.map(([name]) => file_node_id(name)), wires: [['done']] },
        report_node('sent'),
        report_node('caught'),
        report_node('done')
    ]
}

// Not the bare name: Node-RED takes a property that equals a node's id for a reference to that node.
function file_node_id(name) {
    return `file: ${name}`
}

function file_node(name, config) {
    return {
        id: file_node_id(name),
        name,
        ...place,
        filename: 'filename',
        filenameType: 'msg',
        appendNewline: false,
        createDir: false,
        encoding: 'none',
        sendError: false,
        allProps: false,
        wires: [['sent']],
        ...config
    }
}

function entry_node(name) {
    return function_node(`enter: ${name}`, file_node_id(name), {
        initialize: `global.get('harness').on(${JSON.stringify(name)}, msg => node.send(msg))`
    })
}

function report_node(event) {
    return function_node(event, null, { func: `global.get('harness').report(${JSON.stringify(event)}, msg)` })
}

function function_node(id, next, code) {
    return {
        id, type: 'function', ...place, func: '', initialize: '', finalize: '', libs: [],
        outputs: next ? 1 : 0, timeout: 0, noerr: 0, wires: next ? [[next]] : [], ...code
    }
}
