// Whether a file is OpenAPI 3.1 by the schema of its makers, with every reference leading somewhere.
import { Validator } from '@seriousme/openapi-schema-validator'

const validator = new Validator()
const result = await validator.validate(process.argv[2])
if (!result.valid) {
    console.log(JSON.stringify(result.errors, null, 1))
    process.exit(1)
}
validator.resolveRefs()
if (validator.version !== '3.1') {
    console.log(`this is OpenAPI ${validator.version}`)
    process.exit(1)
}
