package vertextorchserve.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.pytorch.serve.archive.model.Manifest;
import org.pytorch.serve.archive.model.ModelArchive;
import org.pytorch.serve.job.Job;
import org.pytorch.serve.util.ConfigManager;
import org.pytorch.serve.wlm.Model;

/** The queue inside a real model of TorchServe, asked by threads as TorchServe's workers ask. */
class JobQueueTest {
    private static final int HOUR_MILLIS = 3_600_000;

    @BeforeAll
    static void configure() throws Exception {
        ConfigManager.Arguments arguments = new ConfigManager.Arguments();
        arguments.setModelStore("."); // nothing is read from it, but it must be given
        ConfigManager.init(arguments); // a model asks it for the number of GPUs
    }

    @Test
    void theWorkerThatWasBusyLastGetsTheNextRequest() throws Exception {
        Model model = model(100, 1, 1);
        Worker first = Worker.idle(model);
        Worker second = Worker.idle(model);
        Worker third = Worker.idle(model);
        add(model, "a");
        assertEquals(List.of("a"), third.batch());
        Worker thirdAgain = Worker.idle(model);
        add(model, "b");
        assertEquals(List.of("b"), thirdAgain.batch());
        add(model, "c");
        assertEquals(List.of("c"), second.batch());
        add(model, "d");
        assertEquals(List.of("d"), first.batch());
    }

    @Test
    void aRequestWakesTheWorkerThatGetsItAlone() throws Exception {
        Model model = model(100, 1, 1);
        Worker first = Worker.idle(model);
        Worker second = Worker.idle(model);
        List<Long> before = List.of(first.waits(), second.waits());
        for (String id : List.of("a", "b", "c")) {
            Worker third = Worker.idle(model);
            add(model, id);
            assertEquals(List.of(id), third.batch());
        }
        assertEquals(before, List.of(first.waits(), second.waits()));
        second.die();
        first.die();
    }

    @Test
    void anIdleWorkerThatDiesIsPassedOver() throws Exception {
        Model model = model(100, 1, 1);
        Worker first = Worker.idle(model);
        Worker second = Worker.idle(model);
        second.die();
        add(model, "a");
        assertEquals(List.of("a"), first.batch());
    }

    @Test
    void aBatchIsNotWaitedForWhileAnotherWorkerIsIdle() throws Exception {
        Model model = model(100, 4, HOUR_MILLIS);
        Worker first = Worker.idle(model);
        Worker second = Worker.idle(model);
        add(model, "a");
        assertEquals(List.of("a"), second.batch());
        first.die();
    }

    @Test
    void whatWaitsBecomesOneBatchAlsoWhileAnotherWorkerIsIdle() throws Exception {
        Model model = model(100, 4, HOUR_MILLIS);
        for (String id : List.of("a", "b", "c", "d", "e")) {
            add(model, id);
        }
        assertEquals(List.of("a", "b", "c", "d"), Worker.asking(model).batch());
        Worker alone = Worker.asking(model);
        alone.untilItWaitsForMore();
        Worker other = Worker.idle(model);
        assertEquals(List.of("e"), alone.batch());
        other.die();
    }

    @Test
    void aBatchIsWaitedForWhileNoOtherWorkerIsIdle() throws Exception {
        Model model = model(100, 3, HOUR_MILLIS);
        Worker worker = Worker.idle(model);
        add(model, "a");
        worker.untilItWaitsForMore();
        add(model, "b");
        add(model, "c");
        add(model, "d");
        assertEquals(List.of("a", "b", "c"), worker.batch());
    }

    @Test
    void aBatchEndsWhenAnotherWorkerBecomesIdle() throws Exception {
        Model model = model(100, 3, HOUR_MILLIS);
        Worker worker = Worker.idle(model);
        add(model, "a");
        worker.untilItWaitsForMore();
        Worker other = Worker.idle(model);
        assertEquals(List.of("a"), worker.batch());
        other.die();
    }

    @Test
    void aBatchEndsWithItsDelay() throws Exception {
        Model model = model(100, 3, 100);
        Worker worker = Worker.idle(model);
        long began = System.nanoTime();
        add(model, "a");
        assertEquals(List.of("a"), worker.batch());
        assertTrue(System.nanoTime() - began >= TimeUnit.MILLISECONDS.toNanos(99));
    }

    @Test
    void aBatchWaitsForAsManyRequestsAsTheLastOneAnsweredAndAsWaitedThen() throws Exception {
        AtomicLong clock = new AtomicLong(System.nanoTime());
        JobQueue queue = new JobQueue(100, clock::get);
        answerHere(queue, clock, "a", "b");
        assertTrue(queue.offerLast(new TestJob("c")));
        Thread client = onceTaken(queue, () -> queue.offerLast(new TestJob("d")));
        assertEquals("c", queue.poll(Long.MAX_VALUE, TimeUnit.MILLISECONDS).getJobId());
        assertEquals("d", queue.poll(1, TimeUnit.MILLISECONDS).getJobId());
        client.join();
    }

    @Test
    void theNextRequestOfASingleClientIsTakenAtOnce() throws Exception {
        AtomicLong clock = new AtomicLong(System.nanoTime());
        JobQueue queue = new JobQueue(100, clock::get);
        answerHere(queue, clock, "a");
        assertTrue(queue.offerLast(new TestJob("b")));
        long began = System.nanoTime();
        assertEquals("b", queue.poll(Long.MAX_VALUE, TimeUnit.MILLISECONDS).getJobId());
        assertNull(queue.poll(1, TimeUnit.MILLISECONDS));
        assertTrue(System.nanoTime() - began < TimeUnit.SECONDS.toNanos(180), "a twentieth of an hour");
    }

    @Test
    void noMoreRequestsAreWaitedForThanABatchMayHave() throws Exception {
        AtomicLong clock = new AtomicLong(System.nanoTime());
        JobQueue queue = new JobQueue(100, clock::get);
        answerHere(queue, clock, "a", "b", "c", "d");
        queue.answering(4, 1);
        assertTrue(queue.offerLast(new TestJob("e")));
        long began = System.nanoTime();
        assertEquals("e", queue.poll(Long.MAX_VALUE, TimeUnit.MILLISECONDS).getJobId());
        assertTrue(System.nanoTime() - began < TimeUnit.SECONDS.toNanos(180), "a twentieth of an hour");
    }

    @Test
    void theRequestOfABatchThatWaitsForOthersGoesToAnotherWorkerWhenItsOwnDies() throws Exception {
        AtomicLong clock = new AtomicLong(System.nanoTime());
        JobQueue queue = new JobQueue(100, clock::get);
        answerHere(queue, clock, "a", "b");
        assertTrue(queue.offerLast(new TestJob("c")));
        Thread death = onceTaken(queue, Thread.currentThread()::interrupt);
        assertThrows(InterruptedException.class, () -> queue.poll(Long.MAX_VALUE, TimeUnit.MILLISECONDS));
        death.join();
        queue.batchLock().unlock();
        assertEquals("c", queue.peek().getJobId());
    }

    @Test
    void onlyOneWorkerMakesUpABatchAtATime() throws Exception {
        Model model = model(100, 2, HOUR_MILLIS);
        JobQueue queue = new JobQueue(100);
        ModelQueues.replace(model, queue);
        add(model, "a");
        assertEquals(
                "a", queue.poll(Long.MAX_VALUE, TimeUnit.MILLISECONDS).getJobId()); // this thread's batch
        Worker other = Worker.idle(model);
        add(model, "b");
        long began = System.nanoTime();
        while (System.nanoTime() - began < TimeUnit.MILLISECONDS.toNanos(300)) {
            assertEquals(1, model.getPendingRequestsInJobQueue(), "the other worker took it");
        }
        queue.batchLock().unlock();
        other.untilItWaitsForMore();
        add(model, "c");
        assertEquals(List.of("b", "c"), other.batch());
    }

    @Test
    void smallAndLargeRequestsMakeBatchesInTurns() throws Exception {
        Model model = model(100, 2, HOUR_MILLIS);
        int large = JobQueue.LARGE_BYTES + 1;
        for (String id : List.of("A", "B", "C", "D", "E")) {
            add(model, id, large);
        }
        for (String id : List.of("a", "b", "c")) {
            add(model, id, JobQueue.LARGE_BYTES);
        }
        List<String> batches = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            batches.add(String.join("", Worker.asking(model).batch()));
        }
        assertEquals(List.of("AB", "ab", "CD", "c"), batches);
        Worker.asking(model).untilItWaitsForMore();
    }

    @Test
    void requestsThatAreHandedBackWaitInTheirOrderAsLargeOnes() throws Exception {
        Model model = model(100, 4, 1);
        JobQueue queue = ModelQueues.of(model);
        for (String id : List.of("a", "b", "c")) {
            add(model, id);
        }
        Map<String, Job> batch = new LinkedHashMap<>();
        model.pollBatch("worker", 1, batch);
        assertEquals(List.of("a", "b", "c"), List.copyOf(batch.keySet()));
        queue.takeBack(List.of(batch.get("a"), batch.get("c")));
        assertTrue(Costly.is(batch.get("a").getPayload()));
        assertFalse(Costly.is(batch.get("b").getPayload()));
        add(model, "d");
        assertEquals(List.of("a", "c"), Worker.asking(model).batch());
        assertEquals(List.of("d"), Worker.asking(model).batch());
    }

    @Test
    void aRequestThatIsHandedBackToAFullQueueGets503() throws Exception {
        Model model = model(1, 1, 1);
        TestJob job = new TestJob("a");
        assertTrue(model.addJob(job));
        assertEquals(List.of("a"), Worker.asking(model).batch());
        add(model, "b");
        ModelQueues.of(model).takeBack(List.of(job));
        assertEquals("503 the request will take long, and the queue is full", job.error);
        assertEquals(List.of("b"), Worker.asking(model).batch());
    }

    @Test
    void requestsThatTakeLongAreHandedBackOnlyWhileSmallOnesCome() throws Exception {
        AtomicLong clock = new AtomicLong(1);
        JobQueue queue = new JobQueue(100, clock::get);
        TestJob job = new TestJob("a");
        answerHere(queue, clock, "long");
        queue.allCostly(true);
        assertTrue(queue.offerLast(new TestJob("next")));
        takeHere(queue, "next");
        queue.ask(List.of(job.getPayload()));
        assertEquals("tell", job.getPayload().getHeaders().get(Costly.HEADER));
        assertTrue(queue.offerLast(new TestJob("other")));
        takeHere(queue, "other"); // so "next" has ended, a small one
        queue.ask(List.of(job.getPayload()));
        assertEquals("hand-back", job.getPayload().getHeaders().get(Costly.HEADER));
        queue.takeBack(List.of(job));
        queue.ask(List.of(job.getPayload()));
        assertEquals("begin", job.getPayload().getHeaders().get(Costly.HEADER));
    }

    @Test
    void whileSmallRequestsComeAWorkerIsKeptForThem() throws Exception {
        Model model = model(100, 1, HOUR_MILLIS);
        AtomicLong clock = new AtomicLong(System.nanoTime());
        JobQueue queue = new JobQueue(100, clock::get);
        ModelQueues.replace(model, queue);
        int large = JobQueue.LARGE_BYTES + 1;
        add(model, "small");
        takeHere(queue, "small");
        clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(10));
        add(model, "long", large);
        takeHere(queue, "long");
        clock.addAndGet(TimeUnit.SECONDS.toNanos(1));
        add(model, "next", large);
        takeHere(queue, "next");
        Worker other = Worker.idle(model);
        add(model, "held back", large);
        long began = System.nanoTime();
        while (System.nanoTime() - began < TimeUnit.MILLISECONDS.toNanos(200)) {
            assertEquals(1, model.getPendingRequestsInJobQueue(), "the last worker took a large one");
        }
        add(model, "short");
        assertEquals(List.of("short"), other.batch());
        takeHere(queue, "held back");
    }

    @Test
    void aBatchHasABoundInBytes() throws Exception {
        Model model = model(100, 10, HOUR_MILLIS);
        int part = JobQueue.MOST_BATCH_BYTES / 4;
        for (String id : List.of("a", "b", "c", "d", "e")) {
            add(model, id, part);
        }
        add(model, "alone", JobQueue.MOST_BATCH_BYTES + 1);
        add(model, "last", part);
        assertEquals(List.of("a", "b", "c", "d"), Worker.asking(model).batch());
        assertEquals(List.of("e"), Worker.asking(model).batch());
        assertEquals(List.of("alone"), Worker.asking(model).batch());
        Worker.asking(model).untilItWaitsForMore();
    }

    @Test
    void theRequestsOfAnUnfinishedBatchGoToAnotherWorker() throws Exception {
        Model model = model(100, 4, HOUR_MILLIS);
        Worker worker = Worker.idle(model);
        add(model, "a");
        add(model, "b");
        worker.untilItWaitsForMore();
        Worker.until(() -> model.getPendingRequestsInJobQueue() == 0);
        worker.die();
        assertEquals(2, model.getPendingRequestsInJobQueue());
        add(model, "c");
        add(model, "d");
        assertEquals(List.of("a", "b", "c", "d"), Worker.asking(model).batch());
    }

    @Test
    void theRequestsOfAnUnfinishedBatchGoBeforeThoseThatCameLater() throws Exception {
        JobQueue queue = new JobQueue(100);
        for (String id : List.of("a", "b", "c")) {
            assertTrue(queue.offerLast(new TestJob(id)));
        }
        assertEquals("a", queue.poll(Long.MAX_VALUE, TimeUnit.MILLISECONDS).getJobId());
        assertEquals("b", queue.poll(1, TimeUnit.MILLISECONDS).getJobId());
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> queue.poll(1, TimeUnit.MILLISECONDS));
        queue.batchLock().unlock();
        assertEquals("a b c", String.join(" ", queue.stream().map(job -> job.getJobId()).toList()));
    }

    @Test
    void aRequestThatFindsNoPlaceInTheQueueAgainGets503() throws Exception {
        JobQueue queue = new JobQueue(2);
        TestJob first = new TestJob("a");
        TestJob second = new TestJob("b");
        assertTrue(queue.offerLast(first));
        assertTrue(queue.offerLast(second));
        queue.poll(Long.MAX_VALUE, TimeUnit.MILLISECONDS);
        queue.poll(1, TimeUnit.MILLISECONDS);
        assertTrue(queue.offerLast(new TestJob("c")));
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> queue.poll(1, TimeUnit.MILLISECONDS));
        queue.batchLock().unlock();
        assertEquals("b c", String.join(" ", queue.stream().map(job -> job.getJobId()).toList()));
        assertEquals("503 the worker has died and the queue is full", first.error);
        assertNull(second.error);
    }

    @Test
    void aFinishedBatchIsNotPutBackWhenItsWorkerDiesLater() throws Exception {
        Model model = model(100, 2, 1);
        add(model, "a");
        add(model, "b");
        assertEquals(List.of("a", "b"), Worker.asking(model).batch());
        Worker.idle(model).die();
        assertEquals(0, model.getPendingRequestsInJobQueue());
    }

    @Test
    void aFullQueueRefusesARequestUntilOneIsTaken() throws Exception {
        Model model = model(2, 1, 1);
        add(model, "a");
        add(model, "b");
        assertFalse(model.addJob(new TestJob("c")));
        assertEquals(List.of("a"), Worker.asking(model).batch());
        add(model, "d");
        assertFalse(model.addJob(new TestJob("e")));
    }

    @Test
    void noRequestIsLostOrTakenTwiceWhenWorkersDieUnderLoad() throws Exception {
        int producers = 8;
        int each = 1_000;
        Model model = model(50, 8, 1);
        List<TestJob> jobs = IntStream.range(0, producers * each).mapToObj(i -> new TestJob("" + i)).toList();
        AtomicBoolean over = new AtomicBoolean();
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            workers.add(new Thread(() -> takeUntil(over, model)));
        }
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < producers; i++) {
            List<TestJob> share = jobs.subList(i * each, (i + 1) * each);
            clients.add(new Thread(() -> share.forEach(job -> addWhenThereIsRoom(model, job))));
        }
        workers.forEach(Thread::start);
        clients.forEach(Thread::start);
        Random random = new Random(7);
        for (int deaths = 0; deaths < 500 && !jobs.stream().allMatch(TestJob::isOver); deaths++) {
            workers.get(random.nextInt(workers.size())).interrupt();
            Thread.sleep(random.nextInt(3));
        }
        Worker.until(() -> jobs.stream().allMatch(TestJob::isOver));
        over.set(true);
        for (Thread worker : workers) {
            worker.interrupt();
            worker.join();
        }
        List<TestJob> wrong = jobs.stream().filter(job -> !job.endedOnce()).toList();
        assertEquals(List.of(), wrong);
        assertEquals(0, model.getPendingRequestsInJobQueue());
    }

    /** Takes a batch as the worker that this thread is, and answers it after an hour. */
    private static void answerHere(JobQueue queue, AtomicLong clock, String... ids) throws Exception {
        for (String id : ids) {
            assertTrue(queue.offerLast(new TestJob(id)));
        }
        assertEquals(ids[0], queue.poll(Long.MAX_VALUE, TimeUnit.MILLISECONDS).getJobId());
        for (int i = 1; i < ids.length; i++) {
            assertEquals(ids[i], queue.poll(1, TimeUnit.MILLISECONDS).getJobId());
        }
        queue.batchLock().unlock();
        clock.addAndGet(TimeUnit.HOURS.toNanos(1));
        queue.answering(ids.length, 4);
    }

    /** A started thread that does something a while after the queue's last request was taken. */
    private static Thread onceTaken(JobQueue queue, Runnable action) {
        Thread thread = new Thread(() -> {
            while (!queue.isEmpty()) {
                Thread.onSpinWait();
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20)); // longer than a batch of no time waits
            action.run();
        });
        thread.start();
        return thread;
    }

    /** Takes a batch of one as the worker that this thread is. */
    private static void takeHere(JobQueue queue, String id) throws InterruptedException {
        assertEquals(id, queue.poll(Long.MAX_VALUE, TimeUnit.MILLISECONDS).getJobId());
        queue.batchLock().unlock();
    }

    /** Takes batches; goes on when it is interrupted, as the next worker would. */
    private static void takeUntil(AtomicBoolean over, Model model) {
        while (!over.get()) {
            Map<String, Job> batch = new LinkedHashMap<>();
            try {
                model.pollBatch("worker", 1, batch);
                batch.values().forEach(job -> ((TestJob) job).taken.incrementAndGet());
            } catch (InterruptedException e) {
                // what it had taken is in the queue again, or was refused
            }
            Thread.interrupted(); // came too late for this batch
        }
    }

    private static void addWhenThereIsRoom(Model model, TestJob job) {
        while (!model.addJob(job)) {
            Thread.onSpinWait();
        }
    }

    private static void add(Model model, String id) {
        add(model, id, 1);
    }

    private static void add(Model model, String id, int bytes) {
        assertTrue(model.addJob(new TestJob(id, bytes)));
    }

    private static Model model(int capacity, int batchSize, int delayMillis) {
        Manifest manifest = new Manifest();
        manifest.setModel(new Manifest.Model());
        manifest.getModel().setModelName("model");
        manifest.getModel().setModelVersion("1.0");
        Model model = new Model(new ModelArchive(manifest, "model.mar", new File("."), false), capacity);
        model.setBatchSize(batchSize);
        model.setMaxBatchDelay(delayMillis);
        ModelQueues.replace(model);
        return model;
    }
}
