import { Button, Group, Text, Textarea } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { plain } from "../api/client.ts";
import { isMissing } from "../api/problem.ts";
import { commentsQuery } from "../api/queries.ts";
import type { Comment } from "../api/types.ts";
import { Cut } from "../display/Cut.tsx";
import { Panel } from "../display/Panel.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { When } from "../display/When.tsx";
import classes from "./Comments.module.css";

/** What people say of a batch to each other; it moves no revision. */
export function Comments({ batch }: { batch: string }) {
  const [text, setText] = useState("");
  const client = useQueryClient();
  const comments = useQuery(commentsQuery(batch));
  const writing = useMutation({
    mutationFn: () =>
      plain<Comment>("POST", `/api/v1/batches/${batch}/comments`, { body: { text: text.trim() } }),
    onSuccess: () => {
      setText("");
      return client.invalidateQueries({ queryKey: ["comments", batch] });
    },
  });
  // An older server knows no comments; and while nothing is known, nothing is shown.
  if (isMissing(comments.error) || (!comments.data && !comments.error)) return null;
  return (
    <Panel title="Comments" note={comments.data ? String(comments.data.items.length) : undefined}>
      <div className={classes.list} aria-live="polite">
        {comments.data?.items.map((comment) => (
          <article key={comment.id}>
            <Text size="sm" c="dimmed">
              <strong className={classes.who}>{comment.actor}</strong> <When at={comment.at} />
            </Text>
            <Text size="sm" className={classes.text}>
              {comment.text}
            </Text>
          </article>
        ))}
        {comments.data?.items.length === 0 ? (
          <Text size="sm" c="dimmed">
            No comments yet. What you write is seen by everybody who reviews this batch.
          </Text>
        ) : null}
      </div>
      <Cut list={comments.data} />
      {comments.error ? <ProblemNotice error={comments.error} what="Comments cannot be read" /> : null}
      {writing.error ? <ProblemNotice error={writing.error} what="Your comment was not kept" /> : null}
      <Textarea
        aria-label="Comment"
        placeholder="Say something about this batch"
        autosize
        minRows={1}
        mt="sm"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && text.trim()) writing.mutate();
        }}
      />
      {text.trim() ? (
        <Group justify="flex-end" mt="xs">
          <Button size="xs" loading={writing.isPending} onClick={() => writing.mutate()}>
            Comment
          </Button>
        </Group>
      ) : null}
    </Panel>
  );
}
