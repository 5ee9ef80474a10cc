import { type FirewallRuleInput, letsAllThrough, ruleInWords } from "../../../lib/domain/firewall";

interface RuleSummaryProps {
  rules: readonly FirewallRuleInput[];
  nameOf: (firewallId: number) => string;
}

const directions = [
  { direction: "ingress", withoutRules: "Nothing comes in.", others: "Nothing else comes in." },
  {
    direction: "egress",
    withoutRules: "The VM may connect anywhere.",
    others: "Nothing else goes out but DHCP and DNS to the network's own resolver.",
  },
] as const;

/** What the firewalls of a VM that has some do, in sentences: also what it doesn't say, which is what people get wrong. */
export function RuleSummary({ rules, nameOf }: RuleSummaryProps) {
  return (
    <ul className="flex flex-col gap-1 text-sm">
      {directions.map(({ direction, withoutRules, others }) => {
        const own = rules.filter((rule) => rule.direction === direction);
        if (own.length === 0) return <li key={direction}>{withoutRules}</li>;
        return (
          <li key={direction}>
            <ul className="flex flex-col gap-1">
              {[...new Set(own.map((rule) => ruleInWords(rule, nameOf)))].map((words) => (
                <li key={words}>{words}.</li>
              ))}
              {own.some(letsAllThrough) ? null : <li className="text-muted">{others}</li>}
            </ul>
          </li>
        );
      })}
    </ul>
  );
}
