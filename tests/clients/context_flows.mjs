// Flows whose function nodes read and write the persistent context store, and the words in which the
// tests ask them to.
import assert from 'node:assert/strict'

// What each function node does with a request that is addressed to it.
const obey = `
const { to, scope, action, key, value } = msg.payload
if (to !== node.name) {
    return
}
const store = { node: context, flow, global }[scope]
const finish = (error, ...values) => {
    if (error) {
        node.error(error, msg)
    } else {
        node.send({ payload: values })
    }
    node.done()
}
if (action === 'get') {
    store.get(key, 'persistent', finish)
} else if (action === 'get at once') {
    try {
        finish(null, store.get(key, 'persistent'))
    } catch (error) {
        finish(error)
    }
} else if (action === 'set') {
    store.set(key, value, 'persistent', finish)
} else {
    store.keys('persistent', finish)
}`

// The flows { tab name: [node names] } as the content of flows.json. A tab has a change node, too.
// Names of nodes are unique over all tabs.
export function make_context_flows(tabs) {
    return Object.entries(tabs).flatMap(([tab, names]) => [
        { id: tab, type: 'tab', label: tab },
        entry_node(tab, 'context', names),
        ...names.map(name => function_node(tab, name, [`sent ${tab}`], { func: obey })),
        entry_node(tab, 'change', [`change ${tab}`]),
        change_node(tab),
        { id: `catch ${tab}`, type: 'catch', ...place(tab), scope: null, wires: [[`caught ${tab}`]] },
        { id: `complete ${tab}`, type: 'complete', ...place(tab), scope: [...names, `change ${tab}`], wires: [[`done ${tab}`]] },
        ...['sent', 'caught', 'done'].map(event =>
            function_node(tab, `${event} ${tab}`, [], { func: `global.get('harness').report('${event}', msg)` }))
    ])
}

// A node without coordinates would be a configuration node.
function place(tab) {
    return { z: tab, x: 0, y: 0 }
}

function entry_node(tab, what, next) {
    const event = `'${what} ${tab}'`
    return function_node(tab, `enter ${what} ${tab}`, next, {
        initialize: `global.get('harness').on(${event}, msg => node.send(msg))`,
        finalize: `global.get('harness').removeAllListeners(${event})` // a deploy starts this node anew
    })
}

// Sets flow.changed.by to the payload and sends what flow.changed then is.
function change_node(tab) {
    return {
        id: `change ${tab}`,
        type: 'change',
        ...place(tab),
        rules: [
            { t: 'set', p: '#:(persistent)::changed.by', pt: 'flow', to: 'payload', tot: 'msg' },
            { t: 'set', p: 'payload', pt: 'msg', to: '#:(persistent)::changed', tot: 'flow' }
        ],
        wires: [[`sent ${tab}`]]
    }
}

function function_node(tab, id, next, code) {
    return {
        id, type: 'function', ...place(tab), name: id, func: '', initialize: '', finalize: '', libs: [],
        outputs: 1, timeout: 0, noerr: 0, wires: [next], ...code
    }
}

// The contexts that a function node of a running Node-RED can reach.
export class ContextOf {
    constructor(node_red, tab, name) {
        this.node_red_ = node_red
        this.tab_ = tab
        this.name_ = name
    }

    // The values of one key, or of an array of keys. `scope` is node, flow or global everywhere.
    async get(scope, key) {
        const [values] = await this.all([{ scope, action: 'get', key }])
        return Array.isArray(key) ? values : values[0]
    }

    // Without a callback, which only a store with a cache can do.
    async get_at_once(scope, key) {
        const [values] = await this.all([{ scope, action: 'get at once', key }])
        return values[0]
    }

    async set(scope, key, value) {
        await this.all([{ scope, action: 'set', key, value }])
    }

    async keys(scope) {
        const [values] = await this.all([{ scope, action: 'keys' }])
        return values[0]
    }

    // Sends requests { scope, action, key, value } at once; returns what came of each, in the order
    // in which the answers came.
    async all(requests) {
        const { sent, caught } = await this.run_(requests)
        assert.deepEqual(caught.map(msg => msg.error), [])
        return sent.map(msg => msg.payload)
    }

    // Sends a request that must fail; returns the texts of the errors.
    async fail(request) {
        const { sent, caught } = await this.run_([request])
        assert.deepEqual(sent, [])
        assert.ok(caught.every(msg => msg.error.from === this.name_))
        return caught.map(msg => msg.error.message)
    }

    run_(requests) {
        return this.node_red_.run(`context ${this.tab_}`, ...requests.map(request => ({ payload: { to: this.name_, ...request } })))
    }
}

// Sends a payload through the change node of a tab; returns what it sent on.
export async function change(node_red, tab, payload) {
    const { sent, caught } = await node_red.run(`change ${tab}`, { payload })
    assert.deepEqual(caught.map(msg => msg.error), [])
    return sent[0].payload
}
