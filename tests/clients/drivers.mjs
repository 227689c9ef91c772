// The two drivers on which files must behave the same.
import { s3_is_missing, start_s3 } from './s3.mjs'

// Each: name, skip (see s3.mjs), and start(), which returns { driver, stop }: what a server's
// configuration file says under `driver`, for a place that is empty. `files_and_folders_exclude_each_other`
// where a name cannot be both.
export const drivers = [
    {
        name: 'local files',
        skip: false,
        files_and_folders_exclude_each_other: true,
        start: async () => ({ driver: { type: 'localfs', options: { root: 'var/root' } }, stop: async () => {} })
    },
    {
        name: 'S3',
        skip: s3_is_missing,
        files_and_folders_exclude_each_other: false,
        start: start_s3
    }
]
