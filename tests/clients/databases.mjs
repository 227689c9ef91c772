// The two databases on which the context store must behave the same.
import { postgres_is_missing, start_postgres } from './postgres.mjs'

// Each: name, skip (see postgres.mjs), and start(), which returns { context, stop }: what a server's
// configuration file says under `context`, for a database that is empty.
export const databases = [
    {
        name: 'SQLite',
        skip: false,
        start: async () => ({ context: { type: 'db', options: { type: 'sqlite', storage: 'context.db' } }, stop: async () => {} })
    },
    {
        name: 'PostgreSQL',
        skip: postgres_is_missing,
        async start() {
            const postgres = await start_postgres({ durable: false })
            postgres.create_database('flowstore')
            return { context: { type: 'db', options: postgres.options('flowstore') }, stop: () => postgres.stop() }
        }
    }
]
