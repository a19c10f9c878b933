import { z } from 'zod'

/** Longer names name nothing, and would be repeated in errors, logs and rows. */
const maxModelName = 200

/** The name of a model or a preset, as a caller writes it. */
export const ModelName = z.string().min(1).max(maxModelName)
