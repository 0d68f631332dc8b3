/** What the demo account holds: six notes and three threads. `{name}` in an answer cites the note of that name. */

export interface DemoNote {
  name: string;
  title: string;
  text: string;
  pinned?: boolean;
}

export interface DemoThread {
  title: string;
  /** How long ago it began, in hours. */
  hoursAgo: number;
  turns: { question: string; answer: string }[];
}

export const notes: DemoNote[] = [
  {
    name: "bread",
    title: "Bread that works here",
    text: `500 g flour, 360 g water, 10 g salt, 100 g starter.

Mix at 18:00, fold three times before 20:00, then into the fridge for the night. Bake at 250 degrees: 25 minutes with the lid on, 20 without. Let it cool for an hour before anybody cuts it.

- 12 September: flat. The starter was three days old and sank in water.
- 3 October: the best so far. The starter had been fed that morning and floated. The dough had doubled before it went into the fridge.`,
  },
  {
    name: "backup",
    title: "Disks and backups",
    text: `The photos live on the 4 TB disk in the cellar, mounted at \`/srv/photos\`. The laptop copies itself there every night at 02:30 and writes to \`~/backup.log\`.

The old 1 TB disk clicks when it starts. Music only, nothing that matters.

5 October: brought one folder back as a test. 20 minutes, all files there. Do it again in spring.`,
  },
  {
    name: "week",
    title: "How we plan a week",
    pinned: true,
    text: `Monday 9:30, twenty minutes, standing. Each of us names the one thing that must be done by Friday.

No meetings on Wednesday. Not one, not even short ones.

Friday 15:00 we show what is done to whoever comes. What is not done is not shown and not explained.`,
  },
  {
    name: "hiring",
    title: "Interviews, what we agreed",
    text: `Two talks of 45 minutes each, no homework. The first is about the work, the second one is with the whole team, in the kitchen.

Everybody writes down what they think before we talk about the person.

We answer within three working days, also when it is a no, and then with one true reason.

A question that went well: “What did you change your mind about last year?”`,
  },
  {
    name: "heating",
    title: "Heating, what was done",
    text: `- 14 January: error E7, the outside unit was iced up. Cleared the drain with warm water; it ran again after an hour.
- 2 March: yearly service, new filter, 180 euros. The next one is due in March.
- 19 November: 1.1 bar, refilled to 1.6.

The pressure should stand between 1.5 and 2 bar when cold. The filling tap is in the larder, behind the flour.`,
  },
  {
    name: "ferry",
    title: "Ferry with bicycles",
    text: `Book the bicycles together with the cabin; on board they are not sold. 64 euros a person in May, inside cabin, one way.

Boarding ends 45 minutes before departure, at gate 4 with the cars and not in the hall for foot passengers.

Two straps for each bicycle, and bring them: those on the car deck are wet.`,
  },
];

export const threads: DemoThread[] = [
  {
    title: "Did the photos get copied?",
    hoursAgo: 52,
    turns: [
      {
        question: "How do I see whether last night’s copy of the photos worked?",
        answer: `Look at three things. The copy runs at 02:30 and writes to \`~/backup.log\`, and it ends up on the 4 TB disk at \`/srv/photos\`.{backup}

\`\`\`sh
# the end of the last run: look for the word error
tail -n 5 ~/backup.log

# how many photos came in since yesterday
find /srv/photos -type f -newermt yesterday | wc -l

# is there room left?
df -h /srv/photos
\`\`\`

None of this proves that a file can be brought back. Only a test does: the last one was on 5 October, one folder in 20 minutes with all files there.`,
      },
    ],
  },
  {
    title: "Second talk with Noor",
    hoursAgo: 27,
    turns: [
      {
        question: "Noor did well in the first talk. Write the invitation to the second one, sometime next week.",
        answer: `> Dear Noor,
>
> thank you for the talk on Monday. We would like to go on: the second talk is 45 minutes with the whole team, and it takes place in our kitchen.{hiring} There is nothing to prepare and no homework.
>
> Would Tuesday or Thursday next week suit you, at 11:00 or at 14:00? You will hear from us within three working days after it, whatever the answer is.
>
> Kind regards

I left out Wednesday, since you have no meetings on Wednesday.{week} Friday afternoon would be tight as well: at 15:00 you show the week’s work.`,
      },
      {
        question: "And what do we have to do before and after it?",
        answer: `### Before
1. Agree on who asks what. One question has gone well before: “What did you change your mind about last year?”{hiring}
2. Name it on Monday at 9:30, if it is somebody’s one thing for the week.{week}

### After
1. Everybody writes down what they think, before you talk about her.{hiring}
2. Answer within three working days. If it is a no, give one true reason.{hiring}`,
      },
    ],
  },
  {
    title: "Bread for Saturday",
    hoursAgo: 3,
    turns: [
      {
        question: "Why was the bread flat in September, and what was different in October?",
        answer: `Most likely the starter. In September it was three days old and sank in water; in October it had been fed the same morning and floated.{bread}

The second difference follows from the first: in October the dough had doubled before it went into the fridge.{bread} A tired starter would not have managed that by 20:00.

So test a spoonful in a glass of water before you mix. If it sinks, feed it and bake a day later.`,
      },
      {
        question: "I want it on the table on Saturday at 12. Make me a plan.",
        answer: `Counted back from 12:00, with 45 minutes in the oven and an hour to cool:{bread}

| When | What |
|---|---|
| Friday 8:00 | Feed the starter |
| Friday 17:45 | Does a spoonful float? Then go on |
| Friday 18:00 | Mix 500 g flour, 360 g water, 10 g salt, 100 g starter |
| until 20:00 | Fold three times, then into the fridge |
| Saturday 9:30 | Heat the oven to 250 degrees, with the pot inside |
| Saturday 10:00 | Bake 25 minutes with the lid on |
| Saturday 10:25 | 20 minutes more without it |
| Saturday 10:45 | Out, and let it cool |
| Saturday 12:00 | Cut |

That leaves a quarter of an hour to spare.`,
      },
    ],
  },
];
