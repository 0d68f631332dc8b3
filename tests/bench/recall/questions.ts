/**
 * The questions of the evaluation set, as people type them, each with the notes that answer it. Written together
 * with the notes, before there was any ranking. Those that are held out are for reporting only: no choice in the
 * ranking may be made by them. `wordless` ones share no word with any of their notes, function words aside.
 */
export interface RecallQuestion {
  question: string;
  /** Ids of the notes that answer it; any of them will do. */
  answers: string[];
  /** The last messages before it, oldest first: some questions make sense only with them. */
  earlier?: string[];
  wordless?: true;
  heldOut?: true;
}

export const questions: RecallQuestion[] = [
  // --- To choose by
  { question: "What was the boiler pressure supposed to be when cold?", answers: ["heating-log"] },
  { question: "when is the chimney sweep coming and what does he need", answers: ["chimney"] },
  { question: "which fuse is the freezer on?", answers: ["fuse-box"] },
  { question: "dishwasher shows E15, what now", answers: ["dishwasher"] },
  { question: "How long do I bake the bread, and how hot?", answers: ["bread"] },
  { question: "focaccia amounts for about fifteen people", answers: ["focaccia"] },
  { question: "what temperature inside for lamb", answers: ["steak"] },
  { question: "Where do I have to be with the bikes for boarding the ferry?", answers: ["ferry"] },
  { question: "how much did the islands in Scotland cost us in total", answers: ["scotland"] },
  { question: "What's the phone number to ring if we arrive late at the hut?", answers: ["hut-tour"] },
  { question: "who is allergic to peanuts", answers: ["allergies"] },
  { question: "When is my next tetanus shot due?", answers: ["jabs"] },
  { question: "race pace for the half marathon", answers: ["running"] },
  { question: "Which room is Lena's class in?", answers: ["school-times"] },
  { question: "rain plan for the birthday party?", answers: ["birthday-party"] },
  { question: "When did hive B get its new queen?", answers: ["bees"] },
  { question: "oil type and amount for the car", answers: ["car"] },
  { question: "error 503 on the cargo bike", answers: ["cargo-bike"] },
  { question: "what did we learn from the payment outage", answers: ["incident-march"] },
  { question: "Why did searching stop working in June?", answers: ["incident-june"] },
  { question: "steps to upgrade postgres to a new version", answers: ["postgres"] },
  { question: "How many talks does a candidate have with us, and is there homework?", answers: ["hiring"] },
  { question: "what did the harbour people want before the season", answers: ["client-harbour"] },
  { question: "Until when is the interest on the mortgage fixed?", answers: ["mortgage"] },
  { question: "does our liability insurance cover lost keys", answers: ["insurance-liability"] },
  { question: "May the 3D printers in the workshop run overnight?", answers: ["handbook"] },
  { question: "what do I do if the engine of the canal boat gets too hot", answers: ["trip-diary"] },
  { question: "Wie lange ist die Kündigungsfrist der Wohnung?", answers: ["de-vermieter"] },
  { question: "Wann ist bei Jonas die Tetanus-Impfung fällig?", answers: ["de-impfpass"] },
  { question: "Wie viel hat der Verein für die Halle bezahlt?", answers: ["de-verein"], wordless: true },
  { question: "où est la clé du gîte ?", answers: ["fr-gite"] },
  { question: "combien de farine pour la pâte de la tarte aux mirabelles", answers: ["fr-tarte"] },
  { question: "¿Cuánto es el alquiler de Valencia y cuánta fianza?", answers: ["es-piso"] },
  { question: "quanto costa una tanica d'olio di Pietro?", answers: ["it-olio"] },
  { question: "когда добавлять капусту в борщ", answers: ["ru-borsch"] },
  { question: "京都の旅館の門限は何時ですか", answers: ["ja-kyoto"] },
  { question: "绿茶要用多少度的水", answers: ["zh-cha"] },
  {
    question: "And how much salt?",
    answers: ["focaccia"],
    earlier: ["How much water goes into the focaccia for a crowd?", "800 g for one kilo of flour [1]."],
  },
  {
    question: "What about the one in June?",
    answers: ["incident-june"],
    earlier: [
      "What did we change after the outage of 17 March?",
      "Alarms go to a rota now, and certificates are watched [2].",
    ],
  },
  {
    question: "and how do I get back from there in the evening",
    answers: ["de-wanderung"],
    earlier: ["Wann müssen wir am Königssee sein?", "Um sieben am Parkplatz, später ist alles voll [1]."],
  },
  {
    question: "is she allowed out at night?",
    answers: ["house-rules-guests"],
    earlier: [
      "Does the cat need anything while guests stay in our house?",
      "She has her kidney diet, two sachets a day [1].",
    ],
  },
  {
    question: "who signs it then?",
    answers: ["will"],
    earlier: ["Where is the copy of our will?", "In the safe, the original is at the notary [1]."],
  },
  // Of these, none shares a word with its note.
  { question: "how do I shut everything off if a pipe bursts", answers: ["stopcock"], wordless: true },
  { question: "who can feed our pet while we are away? any medicine?", answers: ["cat"], wordless: true },
  { question: "What should I buy Helena for her anniversary?", answers: ["gifts", "ring-sizes"], wordless: true },
  { question: "am I anaemic", answers: ["blood-test"], wordless: true },
  { question: "How many vacation weeks can I take?", answers: ["holidays-work"], wordless: true },
  { question: "which novels were recommended", answers: ["books-to-read"], wordless: true },
  { question: "landlord's name and the deposit for the flat", answers: ["de-vermieter"], wordless: true },
  { question: "grandma's red cabbage recipe", answers: ["de-rotkohl"], wordless: true },
  { question: "who tunes the piano?", answers: ["de-klavier"], wordless: true },
  { question: "Which antihistamine did the doctor prescribe?", answers: ["fr-medecin"], wordless: true },
  { question: "potato omelette", answers: ["es-receta"], wordless: true },
  { question: "how do we make dumplings", answers: ["zh-jiaozi"], wordless: true },
  { question: "when does granny's passport expire", answers: ["ru-dokumenty"], wordless: true },
  {
    question: "Was kostet eine Stunde bei uns, wenn jemand uns beauftragt?",
    answers: ["pricing-freelance"],
    wordless: true,
  },

  // --- Held out
  { question: "What did we find out about my headaches and red wine?", answers: ["migraine"], heldOut: true },
  { question: "washing machine says F21", answers: ["washing-machine"], heldOut: true },
  { question: "flow temperature of the heat pump in winter", answers: ["heating-curve"], heldOut: true },
  { question: "When does the last tram come back from the sea in Porto?", answers: ["porto"], heldOut: true },
  { question: "camera settings for photographing stars at night", answers: ["camera"], heldOut: true },
  { question: "how often is the off-site copy pushed and how big is it", answers: ["offsite"], heldOut: true },
  { question: "what do the Christmas choir rehearsals cost and when are they", answers: ["choir"], heldOut: true },
  { question: "What do we charge for a day?", answers: ["pricing-freelance"], heldOut: true },
  { question: "how does somebody new spend the first week", answers: ["onboarding"], heldOut: true },
  { question: "which varieties of tomato were best, and what about blight", answers: ["tomatoes"], heldOut: true },
  { question: "What does a firing of glaze cost?", answers: ["handbook"], heldOut: true },
  { question: "Welche Fragen wollte ich der Steuerberaterin stellen?", answers: ["de-steuer"], heldOut: true },
  { question: "combien de kilomètres par jour le long de la Loire", answers: ["fr-velo"], heldOut: true },
  { question: "¿a qué hora hay que llegar al albergue?", answers: ["es-viaje"], heldOut: true },
  { question: "味噌はいつ入れますか", answers: ["ja-miso"], heldOut: true },
  { question: "Πότε φεύγει το πλοίο για τη Νάξο;", answers: ["el-spiti"], heldOut: true },
  {
    question: "and for espresso?",
    answers: ["coffee"],
    earlier: ["What is the grinder's number for filter coffee?", "14 [1]."],
    heldOut: true,
  },
  {
    question: "how many kilos this year?",
    answers: ["bees"],
    earlier: ["Did we treat the hives against varroa?", "Yes, formic acid on hive B from 5 August [1]."],
    heldOut: true,
  },
  { question: "what to do when a toner cartridge blinks", answers: ["printer"], heldOut: true },
  { question: "my laptop's wireless is gone when I open the lid", answers: ["old-laptop"], heldOut: true },
  { question: "spectacles: what strength do I have", answers: ["glasses"], wordless: true, heldOut: true },
  {
    question: "How old must one be to retire and what will I get?",
    answers: ["pension"],
    wordless: true,
    heldOut: true,
  },
  { question: "garbage collection days", answers: ["bins"], wordless: true, heldOut: true },
  { question: "where are the keys of the Greek holiday place", answers: ["el-spiti"], wordless: true, heldOut: true },
  { question: "children's immunisations", answers: ["de-impfpass"], wordless: true, heldOut: true },
  { question: "wedding present for my friend in Osaka", answers: ["ja-mirai"], wordless: true, heldOut: true },
  { question: "olive oil from our relative", answers: ["it-olio"], wordless: true, heldOut: true },
  { question: "How much is the orthodontist?", answers: ["es-dentista"], wordless: true, heldOut: true },
];
