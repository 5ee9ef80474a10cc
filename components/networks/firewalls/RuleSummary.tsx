import { type FirewallRuleInput, ruleInWords } from "../../../lib/domain/firewall";

interface RuleSummaryProps {
  rules: readonly FirewallRuleInput[];
  nameOf: (firewallId: number) => string;
}

const directions = [
  { direction: "ingress", open: "Everybody may connect to the VM.", closed: "Nothing else comes in." },
  { direction: "egress", open: "The VM may connect anywhere.", closed: "Nothing else goes out." },
] as const;

/** What a firewall does, in sentences: also what it doesn't say, which is what people get wrong. */
export function RuleSummary({ rules, nameOf }: RuleSummaryProps) {
  return (
    <ul className="flex flex-col gap-1 text-sm">
      {directions.map(({ direction, open, closed }) => {
        const own = rules.filter((rule) => rule.direction === direction);
        if (own.length === 0) return <li key={direction}>{open}</li>;
        return (
          <li key={direction}>
            <ul className="flex flex-col gap-1">
              {[...new Set(own.map((rule) => ruleInWords(rule, nameOf)))].map((words) => (
                <li key={words}>{words}.</li>
              ))}
              <li className="text-muted">{closed}</li>
            </ul>
          </li>
        );
      })}
    </ul>
  );
}
