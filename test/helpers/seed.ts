import { configureGlobal } from 'fast-check'

/**
 * Loaded before every test file: properties are tried on the same drawn cases in each run, so that a run that fails can be
 * repeated. `PROPERTY_SEED=$RANDOM npm test` looks at others.
 */
configureGlobal({ seed: Number(process.env['PROPERTY_SEED'] ?? 1) })
