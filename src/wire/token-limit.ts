import { z } from 'zod'

/** The most tokens that an answer may have. Some clients write -1 for no limit. */
export const TokenLimit = z.preprocess(value => (value === -1 ? undefined : value), z.int().min(1).nullish()).nullish()
