// Node-RED's settings in the tests: what FlowFuse's launcher sets, nothing that listens or leaves the
// machine, and a harness that connects the flows with the test process.
const { EventEmitter } = require('node:events')

const harness = new EventEmitter()
harness.report = (event, msg) => process.send({ event, msg: plain(msg) })
process.on('message', ({ operation, msg, flows }) => flows ? deploy(flows) : deliver(operation, msg))
// The test process is gone, perhaps killed.
process.on('disconnect', () => process.exit(1))

// Function nodes begin to listen a moment after the flows have started.
function deliver(operation, msg) {
    if (!harness.emit(operation, msg)) {
        setTimeout(deliver, 10, operation, msg)
    }
}

// What the editor's button does.
async function deploy(flows) {
    try {
        await require('node-red').runtime.flows.setFlows({ flows: { flows }, deploymentType: 'full' })
        process.send({ event: 'deployed' })
    } catch (error) {
        process.send({ event: 'deployed', error: error.message })
    }
}

// The persistent store beside Node-RED's own, as FlowFuse's launcher sets them up.
function context_storage() {
    if (!process.env.TEST_CONTEXT) {
        return undefined
    }
    return {
        default: 'memory',
        memory: { module: 'memory' },
        persistent: { module: require('@flowfuse/nr-launcher/context'), config: JSON.parse(process.env.TEST_CONTEXT) }
    }
}

// What a test looks at. Errors of nodes are class instances and refer to nodes.
function plain({ filename, payload, parts, error }) {
    return {
        filename,
        payload,
        parts,
        error: error && { message: error.message, code: error.code, from: error.source?.name }
    }
}

module.exports = {
    flowFile: 'flows.json',
    credentialSecret: false,
    flowforge: JSON.parse(process.env.TEST_FLOWFORGE),
    // FlowFuse's own file nodes take the place of these; both register the types 'file' and 'file in'.
    nodesExcludes: ['10-file.js'],
    functionGlobalContext: { harness },
    contextStorage: context_storage(),
    httpAdminRoot: false,
    httpNodeRoot: false,
    telemetry: { enabled: false, updateNotification: false },
    diagnostics: { enabled: false, ui: false },
    runtimeState: { enabled: false, ui: false },
    externalModules: { autoInstall: false, palette: { allowInstall: false, allowUpdate: false } },
    editorTheme: { tours: false },
    logging: { console: { level: 'info', metrics: false, audit: false } }
}
