import type Database from 'better-sqlite3'

/** How a model should be prompted. */
export interface PromptingStrategy {
  system_prompt: string
  /** Wraps the task; `{task}` in it stands for the task's text, which otherwise follows it. */
  user_prompt: string
  /** Prefix that the answer starts with. */
  assistant_prompt?: string | undefined
  /** Off: everything in one user message, for models without a system role. */
  use_chat: boolean
  /** Measured by the caller that set it, from 0 to 1. */
  success_rate?: number | undefined
  quality_score?: number | undefined
}

export interface Rating {
  requestId: string
  /** From 0, useless, to 1, right. */
  score: number
  comment?: string | undefined
  ratedAt: number
  ratedBy: string
}

/** Prompting strategies and ratings set by agents. */
export interface AgentNotes {
  setStrategy: (model: string, strategy: PromptingStrategy, at: number) => void
  strategy: (model: string) => PromptingStrategy | undefined
  /** The names of the models that have a strategy. */
  strategies: () => string[]
  /** A second rating of the same request replaces the first. */
  rate: (rating: Rating) => void
  /** The last rating of a request; undefined where it was never rated. */
  ratingOf: (requestId: string) => Pick<Rating, 'score' | 'ratedAt'> | undefined
}

export function createAgentNotes(database: Database.Database): AgentNotes {
  const upsertStrategy = database.prepare<[string, string, number]>(
    `INSERT INTO prompting_strategies (model, strategy, set_at) VALUES (?, ?, ?)
     ON CONFLICT (model) DO UPDATE SET strategy = excluded.strategy, set_at = excluded.set_at`,
  )
  const selectStrategy = database
    .prepare<[string], string>('SELECT strategy FROM prompting_strategies WHERE model = ?')
    .pluck()
  const selectModels = database.prepare<[], string>('SELECT model FROM prompting_strategies ORDER BY model').pluck()
  const selectRating = database.prepare<[string], Pick<Rating, 'score' | 'ratedAt'>>(
    'SELECT score, rated_at AS ratedAt FROM ratings WHERE request_id = ?',
  )
  const upsertRating = database.prepare(
    `INSERT INTO ratings (request_id, score, comment, rated_at, rated_by)
     VALUES (@requestId, @score, @comment, @ratedAt, @ratedBy)
     ON CONFLICT (request_id) DO UPDATE SET score = excluded.score, comment = excluded.comment,
       rated_at = excluded.rated_at, rated_by = excluded.rated_by`,
  )

  return {
    setStrategy: (model, strategy, at) => {
      upsertStrategy.run(model, JSON.stringify(strategy), Math.round(at))
    },
    strategy: model => {
      const text = selectStrategy.get(model)
      return text === undefined ? undefined : (JSON.parse(text) as PromptingStrategy)
    },
    strategies: () => selectModels.all(),
    ratingOf: requestId => selectRating.get(requestId),
    rate: ({ comment, ratedAt, ...rating }) => {
      upsertRating.run({ ...rating, comment: comment ?? null, ratedAt: Math.round(ratedAt) })
    },
  }
}
