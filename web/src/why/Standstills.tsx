import { Button } from "@mantine/core";
import { IconHourglassHigh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Panel } from "../display/Panel.tsx";
import { When } from "../display/When.tsx";
import homeClasses from "../home/Home.module.css";
import { standstillsQuery } from "./queries.ts";
import { ownerWords, sentence, standstillLink, standstillTitle, untold } from "./words.ts";

/** On home: what stands still past its deadline, why, and what to do. Gone where nothing does. */
export function Standstills() {
  const { data } = useQuery(standstillsQuery);
  const list = untold(data ?? []);
  if (list.length === 0) return null;
  return (
    <Panel title="Stands still" note={String(list.length)} flush>
      <ul className={homeClasses.needs}>
        {list.map((it) => {
          const [reason] = it.reasons;
          const link = standstillLink(it);
          return (
            <li key={`${it.subject} ${it.id}`} className={homeClasses.need} data-kind="task">
              <span className={homeClasses.sign} aria-hidden>
                <IconHourglassHigh size={18} stroke={1.7} />
              </span>
              <div className={homeClasses.needWords}>
                <div className={homeClasses.needTitle}>{standstillTitle(it)}</div>
                <div className={homeClasses.needDetail} title={reason?.words}>
                  {reason ? `${sentence(reason.words)} ${sentence(reason.to_do)}` : "Nobody knows why."}
                </div>
                <div className={homeClasses.needTime}>
                  since <When at={it.since} /> · turn of {ownerWords(it.owner)}
                </div>
              </div>
              {link ? (
                <Button variant="default" component={Link} {...(link as { to: string })}>
                  Look
                </Button>
              ) : null}
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
