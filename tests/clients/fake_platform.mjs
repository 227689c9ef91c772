// The one question that a storage server asks the FlowFuse platform: does this token belong to this
// project, and what is its quota?
import { createServer } from 'node:http'

// Starts a platform on the loopback address. `projects` is [{ project, token, quota }], where quota
// (optional) is what the platform answers, such as { file: 1000 }; or a function that finds one of
// those, or undefined, by project and token. Returns { url, stop }.
export async function start_platform(projects) {
    const server = createServer((request, response) => {
        const answer = check(projects, request)
        response.writeHead(answer.status, { 'content-type': 'application/json' })
        response.end(JSON.stringify(answer.body))
    })
    await new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, '127.0.0.1', resolve)
    })
    return {
        url: `http://127.0.0.1:${server.address().port}`,
        stop() {
            const closed = new Promise(resolve => server.close(resolve))
            server.closeAllConnections()
            return closed
        }
    }
}

function check(projects, request) {
    const match = /^\/account\/check\/project\/([^/?]+)$/.exec(request.url)
    if (!match || request.method !== 'GET') {
        return { status: 404, body: { code: 'not_found', error: 'Not Found' } }
    }
    const id = decodeURIComponent(match[1])
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1]
    const found = typeof projects === 'function'
        ? projects(id, token)
        : projects.find(one => one.project === id && one.token === token)
    if (!found) {
        return { status: 401, body: { code: 'unauthorized', error: 'unauthorized' } }
    }
    // The platform tells the quota only to those who ask for it.
    return { status: 200, body: request.headers['ff-quota'] === 'true' && found.quota ? { quota: found.quota } : {} }
}
