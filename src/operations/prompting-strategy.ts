import { z } from 'zod'

/** How a model should be prompted. */
export const PromptingStrategy = z.object({
  system_prompt: z.string(),
  user_prompt: z.string(),
  use_chat: z.boolean().describe('false: everything in one user message, for models without a system role.'),
  assistant_prompt: z.string().optional().describe('Prefix that the answer starts with.'),
  success_rate: z.number().min(0).max(1).optional(),
  quality_score: z.number().min(0).max(1).optional(),
})

export const inUse = z.boolean().describe('Whether benchmarks found it better than the default, so that tasks use it.')
