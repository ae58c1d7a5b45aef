import { createFileRoute } from "@tanstack/react-router";
import { BatchReview } from "../../../batches/BatchReview.tsx";
import { useReview } from "../../../batches/useReview.ts";
import { BlockBones } from "../../../display/Bones.tsx";
import { PageHead } from "../../../display/PageHead.tsx";
import { ProblemNotice } from "../../../display/ProblemNotice.tsx";

export const Route = createFileRoute("/_app/batches/$batchId")({ component: Page });

function Page() {
  const { batchId } = Route.useParams();
  return <Loaded key={batchId} id={batchId} />;
}

function Loaded({ id }: { id: string }) {
  const { review, error, ...rest } = useReview(id);
  if (review) return <BatchReview review={review} {...rest} />;
  return (
    <>
      <PageHead title="Batch" above={[{ label: "Batches", link: { to: "/batches" } }]} />
      {error ? (
        <ProblemNotice what="The batch cannot be shown" error={error} again={() => void rest.refetch()} />
      ) : (
        <BlockBones height={480} />
      )}
    </>
  );
}
