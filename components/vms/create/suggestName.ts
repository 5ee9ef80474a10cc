const manners =
  "amber bold brave bright brisk calm clear clever cosy crisp deft eager early fair fleet gentle glad golden happy honest keen kind " +
  "lively lucky mellow merry mild neat nimble noble patient plain proud quick quiet ready rosy round silver smart snug spry steady " +
  "still sunny swift tidy trusty warm wise";
const animals =
  "badger bear beaver bison cat crane crow deer dolphin dove eagle elk falcon finch fox gecko goose hare hawk hedgehog heron ibex jay " +
  "kiwi lark lemur lynx marten mole moose newt otter owl panda pony puffin quail rabbit raven robin seal shrew sparrow stork swan tern " +
  "toad turtle whale wren";

/**
 * A name for a new VM that is easy to say and no other VM has: "calm-otter".
 * @param random a number in [0, 1); given so that tests can choose.
 */
export function suggestName(taken: ReadonlySet<string>, random: () => number = Math.random): string {
  const pick = (words: string[]) => words[Math.floor(random() * words.length)] ?? "vm";
  const base = `${pick(manners.split(" "))}-${pick(animals.split(" "))}`;
  if (!taken.has(base)) return base;
  for (let number = 2; ; number++) {
    const name = `${base}-${number}`;
    if (!taken.has(name)) return name;
  }
}
