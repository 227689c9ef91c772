// Asks a server about one project and compares each answer with the model's, byte for byte.
import { answer_of, request_of } from './sequences.mjs'

export class Conversation {
    constructor(project, token, model) {
        this.project_ = project
        this.token_ = token
        this.model_ = model
        this.cursor_ = undefined // the server's number for the last row of the last page
        this.place_ = undefined // the model's
        this.is_over = false // the model knows nothing any more
    }

    // Asks for one operation (see sequences.mjs). Returns { operation, expected, got } when the answer
    // is not what it should be, else null.
    async ask(connection, operation) {
        const goes_on = operation.kind === 'page' && operation.follow && this.cursor_ !== undefined
        if (this.is_over) {
            return null
        }
        const expected = answer_of(operation, this.model_, goes_on ? this.place_ : undefined)
        if (expected.is_left_open) {
            this.is_over = true
            return null
        }
        const { method, path, body } = request_of(operation, this.project_, goes_on ? this.cursor_ : undefined)
        const answer = await connection.request(method, path, this.token_, body)
        const got = { status: answer.status, body: answer.body.toString() }
        if (operation.kind === 'page') {
            this.cursor_ = /^\{"meta":\{"next_cursor":(\d+)\}/.exec(got.body)?.[1]
            this.place_ = expected.last
            expected.body = expected.body.replace('"NEXT_CURSOR"', this.cursor_)
        }
        const is_right = expected.statuses ? expected.statuses.includes(got.status) : got.status === expected.status && got.body === expected.body
        return is_right ? null : { operation, expected, got }
    }

    // Asks for each operation; returns the first difference.
    async ask_all(connection, operations) {
        for (const operation of operations) {
            const difference = await this.ask(connection, operation)
            if (difference) {
                return difference
            }
        }
        return null
    }
}

// What a difference looks like in the message of a failed test.
export function describe_difference({ expected, got }) {
    return [
        `expected ${expected.statuses ? `status ${expected.statuses}` : `${expected.status} ${expected.body}`}`,
        `got      ${got.status} ${got.body}`
    ].join('\n')
}
