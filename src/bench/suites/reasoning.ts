import { answerFrom } from '../extract.ts'
import { prompt, text, verdict, type Difficulty, type Suite } from './suite.ts'

interface Puzzle {
  name: string
  difficulty: Difficulty
  question: string
  /** A number, or words (case-insensitive; several in any order when separated by commas). */
  answer: number | string
  /** The typical wrong answer. */
  wrong: number | string
}

const puzzles: readonly Puzzle[] = [
  {
    name: 'ticket-price',
    difficulty: 'easy',
    question:
      'Two adults and three children pay 62 euros for the museum. A child pays 4 euros less than an adult. What does an adult pay, in euros?',
    answer: 14.8,
    wrong: 16,
  },
  {
    name: 'meeting-days',
    difficulty: 'easy',
    question:
      'A backup runs every 6 days, a report every 8 days. Both ran today, a Tuesday. On which weekday do they next run on the same day?',
    answer: 'Friday',
    wrong: 'Tuesday',
  },
  {
    name: 'siblings',
    difficulty: 'easy',
    question: 'Nora has four brothers and three sisters. Her brother Tim has how many sisters?',
    answer: 4,
    wrong: 3,
  },
  {
    name: 'discount-order',
    difficulty: 'easy',
    question:
      'A jacket is reduced by 20 %, then by another 25 % of the reduced price, and costs 72 euros now. What did it cost at first, in euros?',
    answer: 120,
    wrong: 130.91,
  },
  {
    name: 'race-positions',
    difficulty: 'easy',
    question:
      'In a race you overtake the runner in second place and are then overtaken by two runners. In which place are you now? Answer with the number.',
    answer: 4,
    wrong: 3,
  },
  {
    name: 'water-jugs',
    difficulty: 'medium',
    question:
      'You have a 7-litre jug and a 4-litre jug, a tap and a drain. What is the smallest number of moves (fill a jug, empty a jug, pour one into the other until one is full or empty) after which the 7-litre jug holds exactly 6 litres?',
    answer: 6,
    wrong: 8,
  },
  {
    name: 'code-trace',
    difficulty: 'medium',
    question:
      'What does this print?\n\nlet a = [3, 1, 4, 1, 5]\nlet s = 0\nfor (let i = 0; i < a.length; i++) {\n  if (a[i] % 2 === 1) a.splice(i, 1)\n  else s += a[i] * (i + 1)\n}\nconsole.log(s + a.length)',
    answer: 11,
    wrong: 10,
  },
  {
    name: 'truth-tellers',
    difficulty: 'medium',
    question:
      'Each of Ada, Ben and Cy always lies or always tells the truth. Ada: "Ben lies." Ben: "Cy lies." Cy: "Ada and Ben both lie." Who tells the truth? Give the name or names.',
    answer: 'Ben',
    wrong: 'Ada, Cy',
  },
  {
    name: 'calendar-count',
    difficulty: 'medium',
    question:
      'How many Fridays are there in the year 2023 that fall on an odd day of the month, counting only January and February? (1 January 2023 was a Sunday.)',
    answer: 4,
    wrong: 8,
  },
  {
    name: 'grid-paths',
    difficulty: 'medium',
    question:
      'In a grid of 5 by 4 streets (5 columns and 4 rows of crossings) you walk from the top left crossing to the bottom right one, only right or down. The crossing in column 3, row 2 (counted from the top left, from 1) is closed. How many ways are there?',
    answer: 17,
    wrong: 35,
  },
  {
    name: 'mixture',
    difficulty: 'medium',
    question:
      'From 10 litres of juice 2 litres are poured out and replaced by water; then again 2 litres of the mixture are replaced by water, and once more. How many litres of juice are left? Give it to two decimals.',
    answer: 5.12,
    wrong: 4,
  },
  {
    name: 'schedule-machines',
    difficulty: 'hard',
    question:
      'Jobs take A 3, B 2, C 4, D 2, E 3 hours. C can start only after A and B are done, E only after C, D only after B. Two machines work in parallel, a job runs on one machine without interruption. What is the shortest time, in hours, in which all can be done?',
    answer: 10,
    wrong: 7,
  },
  {
    name: 'socks',
    difficulty: 'hard',
    question:
      'A drawer holds 8 red, 6 blue and 4 green socks. Taken blindly without putting back, what is the smallest number of socks you must take to be certain of having two pairs of different colours (a pair is two socks of one colour)?',
    answer: 11,
    wrong: 5,
  },
  {
    name: 'base-conversion',
    difficulty: 'hard',
    question: 'In base b the number 231 is twice the number 113. Which base is b? (Answer with the base in decimal.)',
    answer: 5,
    wrong: 7,
  },
  {
    name: 'logic-grid',
    difficulty: 'hard',
    question:
      'Four servers stand in a row, positions 1 to 4 from the left: red, blue, green and grey, with 2, 4, 8 and 16 cores in some order. Red is directly left of the one with 16 cores. Green has four times the cores of the server directly to its right. Grey is at position 1 and has fewer cores than blue. The server at position 4 has 4 cores. How many cores has red?',
    answer: 8,
    wrong: 2,
  },
  {
    name: 'expected-draws',
    difficulty: 'hard',
    question:
      'A fair die is thrown until the sum of the throws is at least 3. What is the expected number of throws? Give it as a reduced fraction.',
    answer: '49/36',
    wrong: '4/3',
  },
]

const judged = (given: string, answer: number | string): boolean => {
  if (typeof answer === 'number') {
    const number = /-?\d[\d,  ]*(?:\.\d+)?/
      .exec(given)?.[0]
      .replace(/[,  ](?=\d{3}\b)/g, '')
      .trim()
    // Exactly one number, or the first one followed by a unit.
    return number !== undefined && Math.abs(Number(number) - answer) < 1e-6 && !/\d\s*(?:or|to|–|\/)\s*\d/.test(given)
  }
  const parts = (text: string) =>
    text
      .toLowerCase()
      .split(/,|\band\b/)
      .map(part => part.replace(/^(?:the|only|just)\s+/, '').trim())
      .filter(Boolean)
      .sort((a, b) => (a < b ? -1 : 1))
  return (
    parts(given.replace(/\\frac\{(\d+)\}\{(\d+)\}/, '$1/$2').replace(/\s*\/\s*/, '/')).join() === parts(answer).join()
  )
}

export const reasoning: Suite = {
  name: 'reasoning',
  title: 'Reasoning with exact answers',
  version: 1,
  maxOutputTokens: 4_096,
  tasks: puzzles.map(({ name, difficulty, question, answer, wrong }) => ({
    id: `reasoning/${name}`,
    difficulty,
    ask: prompt(
      `${question}\n\nThink it through, then end with a line of the form "Answer: …" that holds nothing but the answer.`,
    ),
    check: reply => {
      const given = answerFrom(reply.content ?? '')
      if (given === undefined) return verdict('there is no line "Answer: …"')
      return verdict(judged(given, answer) ? undefined : `expected ${answer}, got ${given.slice(0, 100)}`)
    },
    reference: text(`Step by step I find it.\n\nAnswer: ${answer}`),
    wrong: text(`It is obvious.\n\nAnswer: ${wrong}`),
  })),
}
