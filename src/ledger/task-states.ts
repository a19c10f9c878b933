export const taskStates = ['queued', 'in_progress', 'completed', 'failed', 'cancelled'] as const
export type TaskState = (typeof taskStates)[number]
export type FinalState = 'completed' | 'failed' | 'cancelled'
