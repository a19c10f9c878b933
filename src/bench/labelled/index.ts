/** An answer to a task of ours, labelled by reading it and by nothing else. */
export interface LabelledAnswer {
  task: string
  answer: string
  kind: 'correct' | 'subtly wrong' | 'junk'
  correct: boolean
}

export const labelledAnswers: readonly LabelledAnswer[] = []
