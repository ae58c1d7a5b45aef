import { IconTargetArrow } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useRef } from "react";
import { projectsQuery } from "../../api/queries.ts";
import type { Session } from "../../api/types.ts";
import { Nothing } from "../../display/Nothing.tsx";
import { PageHead } from "../../display/PageHead.tsx";
import { Panel } from "../../display/Panel.tsx";
import { may, ROLE_FOR, useSession } from "../../session/may.ts";
import { CheckPanel } from "./CheckPanel.tsx";
import { ComingPanel } from "./ComingPanel.tsx";
import { CreatePanel } from "./CreatePanel.tsx";
import { isBlank as isBlankDraft, isUnsaved } from "./draft.ts";
import { Editor, type EditorHandle } from "./Editor.tsx";
import { FilesPanel } from "./FilesPanel.tsx";
import { campaignAmong } from "./files.ts";
import { LeaveDialog } from "./LeaveDialog.tsx";
import { priorWarning } from "./priors.ts";
import { projectOf, writableProjects } from "./projects.ts";
import { whyNot } from "./ready.ts";
import { requestOf } from "./request.ts";
import { StartFrom } from "./StartFrom.tsx";
import { useBeginning } from "./useBeginning.tsx";
import { useCheck } from "./useCheck.ts";
import { useCreate } from "./useCreate.ts";
import { useDraft } from "./useDraft.ts";
import { useDrop } from "./useDrop.ts";
import { useFiles } from "./useFiles.ts";
import classes from "./WriteCampaign.module.css";

const ABOVE = [{ label: "Campaigns", link: { to: "/campaigns" as const } }];
const STATUS = "campaign-check";

/** A campaign written in the browser: its file, what the server says of it, its other files, and what will come. */
export function WriteCampaign() {
  const session = useSession();
  return (
    <>
      <PageHead
        title="New campaign"
        above={ABOVE}
        note="One file says what is looked for, in which experiments, with which assay, when, and for how much."
      />
      {may(session, "campaign:write") ? (
        <Writing session={session} />
      ) : (
        <Panel title="Campaign file">
          <Nothing icon={IconTargetArrow} title="Your roles do not open this">
            Campaigns are created by an {ROLE_FOR["campaign:write"]}.
          </Nothing>
        </Panel>
      )}
    </>
  );
}

function Writing({ session }: { session: Session }) {
  const { draft, change, forget, isForgotten } = useDraft(session.user.id);
  const projects = useQuery(projectsQuery);
  const writable = writableProjects(projects.data ?? [], session.grants);
  const project = projectOf(writable, draft.projectId);
  const check = useCheck(draft.toml, project, !projects.isPending);
  const files = useFiles(check.right?.files ?? [], draft, change);
  const { beginWith, open, question, times } = useBeginning(draft, change, files.clear);
  const creating = useCreate(requestOf(draft.toml, files.rows, project), forget);
  const editor = useRef<EditorHandle>(null);

  const named = files.rows.map((row) => row.name);
  const { offer } = files;
  const drop = useCallback(
    (dropped: File[]) => {
      const { campaign, rest } = campaignAmong(dropped, named);
      if (campaign) void open(campaign);
      offer(rest);
    },
    [named, open, offer],
  );
  const isOver = useDrop(drop);

  const isBlank = isBlankDraft(draft);
  const found = check.shown?.problems ?? null;
  const problems = found && creating.problems.length > 0 ? [...found, ...creating.problems] : found;
  const warnings = check.shown?.warnings ?? [];
  const isRight = check.now?.problems.length === 0;
  const reason = whyNot({
    isBlank,
    isFailed: Boolean(check.error),
    problems: check.now ? check.now.problems.length + creating.problems.length : null,
    rows: files.rows,
  });
  const goTo = (line: number, column: number) => editor.current?.goTo(line, column);
  const spec = check.right?.spec;
  return (
    <div className={classes.columns}>
      <Panel
        title="Campaign file"
        note={draft.title}
        actions={<StartFrom beginWith={beginWith} open={(file) => void open(file)} />}
        flush
        className={classes.left}
      >
        {/* Each text begins at its top. */}
        <Editor
          key={times}
          ref={editor}
          value={draft.toml}
          change={(toml) => change((old) => ({ ...old, toml }))}
          problems={problems ?? []}
          warnings={warnings}
          describedBy={STATUS}
        />
      </Panel>
      <div className={classes.right}>
        <CheckPanel
          statusId={STATUS}
          isBlank={isBlank}
          isChecking={check.isChecking}
          error={check.error}
          again={check.again}
          problems={problems}
          warnings={warnings}
          goTo={goTo}
        />
        <FilesPanel
          {...files}
          isStale={!isRight}
          isEarlier={draft.earlier !== null}
          priorWarning={spec ? priorWarning(spec) : null}
        />
        <ComingPanel right={check.right} isStale={!isRight} />
        <CreatePanel
          projects={writable}
          project={project}
          choose={(projectId) => change((old) => ({ ...old, projectId }))}
          name={isRight ? spec?.name : undefined}
          reason={reason}
          create={creating.create}
          isPending={creating.isPending}
          error={creating.problems.length > 0 ? null : creating.error}
        />
      </div>
      {isOver ? (
        <div className={classes.over}>Drop the campaign&apos;s file, or files that it names</div>
      ) : null}
      {question}
      <LeaveDialog isUnsaved={() => !isForgotten.current && isUnsaved(draft)} forget={forget} />
    </div>
  );
}
