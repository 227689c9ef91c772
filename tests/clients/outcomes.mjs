// The two outcomes of an operation of a file node, as a flow sees them.
import assert from 'node:assert/strict'

// Runs an operation that must succeed and returns the messages that the node sent.
export async function succeed(node_red, operation, ...messages) {
    const { sent, caught } = await node_red.run(operation, ...messages)
    assert.deepEqual(caught.map(msg => msg.error), [], `${operation} ${messages[0].filename}`)
    return sent
}

// Runs an operation that must fail, sending nothing on, and returns the texts of the errors.
export async function fail(node_red, operation, message) {
    const { sent, caught } = await node_red.run(operation, message)
    assert.deepEqual(sent, [], `${operation} ${message.filename}`)
    assert.ok(caught.every(msg => msg.error.from === operation))
    return caught.map(msg => msg.error.message)
}

// Reads a file that must be there, as a node set to `operation` gives it.
export async function read(node_red, filename, operation = 'read text') {
    const sent = await succeed(node_red, operation, { filename })
    assert.equal(sent.length, 1)
    return sent[0].payload
}
