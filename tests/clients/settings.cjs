// Node-RED's settings in the tests: what FlowFuse's launcher sets, nothing that listens or leaves the
// machine, and a harness that connects the flows with the test process.
const { EventEmitter } = require('node:events')

const harness = new EventEmitter()
harness.report = (event, msg) => process.send({ event, msg: plain(msg) })
process.on('message', ({ operation, msg }) => harness.emit(operation, msg))
// The test process is gone, perhaps killed.
process.on('disconnect', () => process.exit(1))

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
    httpAdminRoot: false,
    httpNodeRoot: false,
    telemetry: { enabled: false, updateNotification: false },
    diagnostics: { enabled: false, ui: false },
    runtimeState: { enabled: false, ui: false },
    externalModules: { autoInstall: false, palette: { allowInstall: false, allowUpdate: false } },
    editorTheme: { tours: false },
    logging: { console: { level: 'info', metrics: false, audit: false } }
}
