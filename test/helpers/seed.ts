import { configureGlobal } from 'fast-check'

/**
 * Loaded before every test file: properties are tested on the same random cases in each run, so that a failing run can
 * be repeated. `PROPERTY_SEED=$RANDOM npm test` tests others.
 */
configureGlobal({ seed: Number(process.env['PROPERTY_SEED'] ?? 1) })
