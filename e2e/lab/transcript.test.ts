import { expect, test } from "vitest";
import { differenceOf, readTranscript } from "./transcript";

const page = `# A page

\`\`\`console
$ curl localhost:5000
Welcome!
$ curl -d '{}' \\
    localhost:5000/vm_create
{"id":1}
$ cat > file << 'END'
$ 1
END
\`\`\`

In prose, $ nothing is typed. Nor in other blocks:

\`\`\`sh
$ rm -rf /
\`\`\`

\`\`\`console
$ ssh root@192.168.0.2
Are you sure you want to continue (yes/no)? yes
root@192.168.0.2's password:
...
root@my-vm:~# hostname
my-vm
root@my-vm:~# exit
\`\`\`
`;

test("what is typed, where, and what is printed after it", () => {
  expect(readTranscript(page, "secret").map(({ line: _, ...exchange }) => exchange)).toEqual([
    { prompt: "$ ", input: "curl localhost:5000", output: ["Welcome!"] },
    { prompt: "$ ", input: "curl -d '{}' \\\n    localhost:5000/vm_create", output: ['{"id":1}'] },
    { prompt: "$ ", input: "cat > file << 'END'\n$ 1\nEND", output: [] },
    { prompt: "$ ", input: "ssh root@192.168.0.2", output: [] },
    { prompt: "Are you sure you want to continue (yes/no)? ", input: "yes", output: [] },
    { prompt: "root@192.168.0.2's password: ", input: "secret", output: ["..."] },
    { prompt: "root@my-vm:~# ", input: "hostname", output: ["my-vm"] },
    { prompt: "root@my-vm:~# ", input: "exit", output: [] },
  ]);
  expect(readTranscript(page, "secret")[1]?.line).toBe(6);
});

const wildcards = { pid: /\d+/, time: /\d\d:\d\d/ };

test.each([
  ["the same", "a\nb\n", ["a", "b"]],
  ["but for spaces at the ends of lines, and empty lines around", "\na  \nb", ["a", "b", ""]],
  ["any lines", "a\nx\ny\nb", ["a", "...", "b"]],
  ["also none", "a\nb", ["a", "...", "b"]],
  ["what varies", "root 12 at 09:15 (up)", ["root <pid> at <time> (up)"]],
  ["nothing", "", []],
])("printed is as shown: %s", (_what, printed, shown) => {
  expect(differenceOf(printed, shown, wildcards)).toBeNull();
});

test.each([
  ["another line", "a\nc", ["a", "b"]],
  ["a line more", "a\nb", ["a"]],
  ["a line less", "a", ["a", "b"]],
  ["what varies otherwise", "root x", ["root <pid>"]],
  ["a name that stands for nothing", "root x", ["root <what>"]],
  ["a dot is a dot", "axb", ["a.b"]],
])("printed is not as shown: %s", (_what, printed, shown) => {
  expect(differenceOf(printed, shown, wildcards)).toContain("Printed was:");
});
