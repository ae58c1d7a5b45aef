// What the pages read, by name. The first word of a key is what live events renew: see live/renewal.ts.

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type {
  Batch,
  BatchState,
  Blackout,
  Calendar,
  Campaign,
  CampaignLine,
  CampaignProgress,
  Channel,
  Comment,
  Delivery,
  DraftPlan,
  Instrument,
  Job,
  JobDetail,
  JobKind,
  JobState,
  LabClock,
  LearningCurve,
  ModelVersion,
  NextTick,
  Notification,
  Page,
  Plate,
  PlateLine,
  PlateState,
  Project,
  Proposal,
  Round,
  SealedEvent,
  Session,
  SignOnOffer,
  Task,
  Token,
  User,
} from "./types.ts";
import { whole } from "./whole.ts";

const PAGE = 100;
/** Lists that people expect to see whole. */
const LONG_PAGE = 1000;
/** Plates of one plan that are shown; more than a round of any laboratory has. */
const MOST_PLATES = 500;

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => answer<Session>(api.GET("/api/v1/session", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
});

/** What the sign-in page offers beside a name and a password. */
export const signOnQuery = queryOptions({
  queryKey: ["sign-on"],
  queryFn: ({ signal }) => answer<SignOnOffer>(api.GET("/api/v1/session/sign-on", { signal })),
});

export const clockQuery = queryOptions({
  queryKey: ["clock"],
  queryFn: ({ signal }) => answer<LabClock>(api.GET("/api/v1/clock", { signal })),
  refetchInterval: 15_000,
});

export const campaignsQuery = queryOptions({
  queryKey: ["campaigns"],
  queryFn: ({ signal }) =>
    whole((cursor) =>
      answer<Page<CampaignLine>>(
        api.GET("/api/v1/campaigns", { params: { query: { limit: LONG_PAGE, cursor } }, signal }),
      ),
    ),
});

export const campaignQuery = (id: string) =>
  queryOptions({
    queryKey: ["campaigns", id],
    queryFn: ({ signal }) =>
      answer<Campaign>(api.GET("/api/v1/campaigns/{id}", { params: { path: { id } }, signal })),
  });

export const progressQuery = (id: string) =>
  queryOptions({
    queryKey: ["progress", id],
    queryFn: ({ signal }) =>
      answer<CampaignProgress>(
        api.GET("/api/v1/campaigns/{id}/progress", { params: { path: { id } }, signal }),
      ),
  });

export const learningCurveQuery = (id: string) =>
  queryOptions({
    queryKey: ["learning-curve", id],
    queryFn: ({ signal }) =>
      answer<LearningCurve>(
        api.GET("/api/v1/campaigns/{id}/learning-curve", { params: { path: { id } }, signal }),
      ),
  });

export const nextTicksQuery = (id: string) =>
  queryOptions({
    queryKey: ["next-ticks", id],
    queryFn: ({ signal }) =>
      answer<NextTick[]>(
        api.GET("/api/v1/campaigns/{id}/next-ticks", { params: { path: { id }, query: { n: 5 } }, signal }),
      ),
  });

/** Those whose cause is still there, the newest first. */
export const notificationsQuery = queryOptions({
  queryKey: ["notifications"],
  queryFn: ({ signal }) =>
    answer<Page<Notification>>(
      api.GET("/api/v1/notifications", { params: { query: { open: true } }, signal }),
    ),
});

export const channelsQuery = queryOptions({
  queryKey: ["channels"],
  queryFn: ({ signal }) =>
    answer<Page<Channel>>(api.GET("/api/v1/channels", { params: { query: { limit: LONG_PAGE } }, signal })),
});

export const deliveryQuery = (id: string) =>
  queryOptions({
    queryKey: ["deliveries", id],
    queryFn: ({ signal }) =>
      answer<Delivery>(api.GET("/api/v1/deliveries/{id}", { params: { path: { id } }, signal })),
  });

export const blackoutsQuery = queryOptions({
  queryKey: ["blackouts"],
  queryFn: async ({ signal }) =>
    (await answer<{ items: Blackout[] }>(api.GET("/api/v1/calendar/blackouts", { signal }))).items,
});

export const modelsQuery = (campaign: string) =>
  queryOptions({
    queryKey: ["models", campaign],
    queryFn: ({ signal }) =>
      answer<Page<ModelVersion>>(
        api.GET("/api/v1/campaigns/{id}/models", { params: { path: { id: campaign } }, signal }),
      ),
  });

export const roundQuery = (id: string) =>
  queryOptions({
    queryKey: ["rounds", id],
    queryFn: ({ signal }) =>
      answer<Round>(api.GET("/api/v1/rounds/{id}", { params: { path: { id } }, signal })),
  });

/** All that wait for approval, the oldest first. */
export const waitingBatchesQuery = queryOptions({
  queryKey: ["batches", "waiting"],
  queryFn: ({ signal }) =>
    answer<Page<Batch>>(api.GET("/api/v1/batches", { params: { query: { limit: LONG_PAGE } }, signal })),
});

/** Page after page; those that wait the oldest first, others the newest. */
export const batchesQuery = (state: BatchState) =>
  infiniteQueryOptions({
    queryKey: ["batches", { state }],
    queryFn: ({ signal, pageParam }) =>
      answer<Page<Batch>>(
        api.GET("/api/v1/batches", {
          params: { query: { state, limit: PAGE, cursor: pageParam ?? undefined } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
    placeholderData: keepPreviousData,
  });

export const batchQuery = (id: string) =>
  queryOptions({
    queryKey: ["batches", id],
    queryFn: ({ signal }) =>
      answer<Batch>(api.GET("/api/v1/batches/{id}", { params: { path: { id } }, signal })),
  });

export const proposalsQuery = (batch: string) =>
  queryOptions({
    queryKey: ["proposals", batch],
    queryFn: ({ signal }) =>
      answer<Page<Proposal>>(
        api.GET("/api/v1/batches/{id}/proposals", { params: { path: { id: batch } }, signal }),
      ),
  });

export const draftPlanQuery = (batch: string, revision: number) =>
  queryOptions({
    queryKey: ["draft-plan", batch, revision],
    queryFn: async ({ signal }) => {
      const plates: DraftPlan["plates"] = [];
      let from: number | null = 1;
      while (from !== null && plates.length < MOST_PLATES) {
        const part: DraftPlan = await answer<DraftPlan>(
          api.GET("/api/v1/batches/{id}/plan", {
            params: { path: { id: batch }, query: { from, limit: 50 } },
            signal,
          }),
        );
        plates.push(...part.plates);
        from = part.next_from ?? null;
      }
      return { plates };
    },
    placeholderData: keepPreviousData,
  });

export const commentsQuery = (batch: string) =>
  queryOptions({
    queryKey: ["comments", batch],
    queryFn: ({ signal }) =>
      whole((cursor) =>
        answer<Page<Comment>>(
          api.GET("/api/v1/batches/{id}/comments", {
            params: { path: { id: batch }, query: { limit: LONG_PAGE, cursor } },
            signal,
          }),
        ),
      ),
  });

export type PlateFilter = { round?: string; state?: PlateState };
export const platesQuery = (filter: PlateFilter) =>
  queryOptions({
    queryKey: ["plates", filter],
    queryFn: ({ signal }) =>
      answer<Page<PlateLine>>(
        api.GET("/api/v1/plates", { params: { query: { ...filter, limit: LONG_PAGE } }, signal }),
      ),
    placeholderData: keepPreviousData,
  });

/** Page after page, the newest first. */
export const newestPlatesQuery = (filter: PlateFilter) =>
  infiniteQueryOptions({
    queryKey: ["plates", "newest", filter],
    queryFn: ({ signal, pageParam }) =>
      answer<Page<PlateLine>>(
        api.GET("/api/v1/plates", {
          params: { query: { ...filter, limit: PAGE, cursor: pageParam ?? undefined } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
    placeholderData: keepPreviousData,
  });

export const plateQuery = (id: string) =>
  queryOptions({
    queryKey: ["plates", id],
    queryFn: ({ signal }) =>
      answer<Plate>(api.GET("/api/v1/plates/{id}", { params: { path: { id } }, signal })),
  });

export type JobFilter = {
  state?: JobState;
  kind?: JobKind;
  round_id?: string;
  plate_id?: string;
  instrument?: string;
};
export const jobsQuery = (filter: JobFilter) =>
  infiniteQueryOptions({
    queryKey: ["jobs", filter],
    queryFn: ({ signal, pageParam }) =>
      answer<Page<Job>>(
        api.GET("/api/v1/jobs", {
          params: { query: { ...filter, limit: PAGE, cursor: pageParam ?? undefined } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
    placeholderData: keepPreviousData,
  });

export const doubtfulJobsQuery = queryOptions({
  queryKey: ["jobs", "in-doubt"],
  queryFn: ({ signal }) =>
    answer<Page<Job>>(api.GET("/api/v1/jobs", { params: { query: { state: "in_doubt" } }, signal })),
});

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ["jobs", id],
    queryFn: ({ signal }) =>
      answer<JobDetail>(api.GET("/api/v1/jobs/{id}", { params: { path: { id } }, signal })),
  });

export const instrumentsQuery = queryOptions({
  queryKey: ["instruments"],
  queryFn: ({ signal }) => answer<Instrument[]>(api.GET("/api/v1/instruments", { signal })),
  refetchInterval: 20_000,
});

export const tasksQuery = (open: boolean) =>
  queryOptions({
    queryKey: ["tasks", { open }],
    queryFn: ({ signal }) =>
      whole((cursor) =>
        answer<Page<Task>>(
          api.GET("/api/v1/tasks", { params: { query: { open, limit: LONG_PAGE, cursor } }, signal }),
        ),
      ),
    placeholderData: keepPreviousData,
  });

export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: ({ signal }) =>
    answer<Page<Token>>(api.GET("/api/v1/tokens", { params: { query: { limit: LONG_PAGE } }, signal })),
});

export const usersQuery = queryOptions({
  queryKey: ["users"],
  queryFn: ({ signal }) =>
    answer<Page<User>>(api.GET("/api/v1/users", { params: { query: { limit: LONG_PAGE } }, signal })),
});

export const projectsQuery = queryOptions({
  queryKey: ["projects"],
  queryFn: async ({ signal }) =>
    (await answer<{ items: Project[] }>(api.GET("/api/v1/projects", { signal }))).items,
});

export const calendarQuery = (from: string, to: string) =>
  queryOptions({
    queryKey: ["calendar", from, to],
    queryFn: ({ signal }) => {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      return answer<Calendar>(api.GET("/api/v1/calendar", { params: { query: { from, to, zone } }, signal }));
    },
    placeholderData: keepPreviousData,
  });

/** Events behind a position, in order. */
export const eventsAfter = (after: number, limit: number, signal?: AbortSignal) =>
  answer<SealedEvent[]>(api.GET("/api/v1/events", { params: { query: { after, limit } }, signal }));
